/** state-machine.md §7, §9: two instances of the target, each the other's peer. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { otherMemory } from '../../targets/machine.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { ChapterBuilder } from '../requirement.js';
import { differingPage } from '../stream-format/ram-file.js';
import { staysStopped } from './defects.js';
import { setupWord } from './destination.js';
import { memory } from './feed.js';
import { hurry, inPostcopy, over, pair, pairNeeds, postcopyPair } from './pair.js';
import { switchPlots } from './postcopy.js';
import { slow } from './source.js';
import { device, eventsOf, precedes, tells } from './story.js';
import { cannotCancelPostcopy } from './texts.js';

const exits = { abilities: [...pairNeeds.abilities, 'exit'] } as const;
const postcopies = {
  capabilities: ['postcopy-ram'],
  commands: ['migrate-pause', 'migrate-recover', 'migrate-start-postcopy'],
  parameters: ['max-postcopy-bandwidth'],
} as const;

export const pairs = new ChapterBuilder(['State machine', '9 Pairs'], 'state-machine.md §6, §9', pairNeeds)
  .must('MIG-SM-R10.pair', 'a migration between two instances tells its steps in order at both ends', async (t) => {
    const two = await pair(t, { ram: 2 });
    await two.migrate();
    await over(two);
    await two.source.tells(`setup ↵migrate P active P* S ${device(t)} P completed`, 'source');
    await two.destination.tells(`${setupWord(t)} ↵migrate-incoming active R completed`, 'destination');
    await two.destination.runStateIs('running');
  })
  .must(
    'MIG-SM-R10.memory',
    'the destination has in memory what the source had, to the last page',
    async (t) => {
      const two = await pair(t, { ram: memory });
      await two.source.does('stop');
      await two.migrate();
      await over(two);
      const files: string[] = [];
      for (const { instance, session } of [two.source, two.destination]) {
        const filename = join(instance.scratch, 'whole.ram');
        const args = { val: 0, size: memory << 20, filename };
        t.equal(t.succeeded(await session.command('pmemsave', args), 'pmemsave'), {}, 'pmemsave');
        files.push(filename);
      }
      const [had, has] = files as [string, string];
      t.check(
        statSync(had).size === memory << 20,
        `${memory << 20} bytes`,
        `${statSync(had).size}`,
        'size of the memory',
      );
      const page = differingPage(had, has);
      t.check(page === undefined, 'the same memory', `page ${page} is another`, 'memory');
    },
    { needs: { commands: ['pmemsave'], unless: otherMemory } },
  )
  .must(
    'MIG-SM-O37.pair',
    'with a return path the source is completed only when the destination is',
    async (t) => {
      const two = await pair(t, { source: ['return-path'] });
      await two.migrate();
      await two.source.until('completed');
      await two.destination.statusIs('completed', 'active');
      await over(two);
      await two.source.tells(`setup ↵migrate P active P* S ${device(t)} P completed`);
      await two.destination.emits(`${setupWord(t)} active R completed`);
    },
    { needs: { capabilities: ['return-path'] } },
  )
  .must('MIG-SM-O21.killed', 'the end of the destination fails the migration and leaves the guest alone', async (t) => {
    const two = await pair(t, { ram: 2, parameters: { 'max-bandwidth': slow } });
    await two.migrate();
    await two.source.until('active');
    await two.destination.until('active');
    two.destination.instance.kill('SIGKILL');
    await two.source.until('failed');
    await two.source.tells('setup ↵migrate P active P* failed');
    await two.source.runStateIs('running');
  })
  .must(
    'MIG-SM-C04.pair',
    'a cancel ends the load of the destination, and its process',
    async (t) => {
      const two = await pair(t, { ram: 2, parameters: { 'max-bandwidth': slow } });
      await two.migrate();
      await two.source.until('active');
      await two.destination.until('active');
      await two.source.does('migrate_cancel');
      const end = await two.source.until('cancelled', 'failed');
      if (end === 'failed') t.knownDefect('MIG-DEF-01', 'cancelled', 'failed');
      await two.destination.fails(`${setupWord(t)} ↵migrate-incoming active failed`);
      await two.source.runStateIs('running');
    },
    { needs: exits },
  )
  .must(
    'MIG-SM-R07',
    'postcopy between two instances tells its steps in order at both ends',
    async (t) => {
      const two = await postcopyPair(t);
      await two.migrate();
      await two.source.until('active');
      await two.source.does('migrate-start-postcopy');
      await two.source.until('postcopy-active');
      await two.destination.until('postcopy-active');
      await hurry(two.source);
      await over(two);
      const words = await two.source.story();
      tells(
        t,
        eventsOf(words),
        switchPlots(t).map((plot) => `setup P active P* ${plot} completed`),
        'source',
      );
      precedes(t, words, 'active', '↵migrate-start-postcopy');
      await two.destination.tells(
        `${setupWord(t)} ↵migrate-incoming active postcopy-active R completed`,
        'destination',
      );
      await two.destination.runStateIs('running');
    },
    { needs: postcopies, tags: ['MIG-SM-R11'] },
  )
  .must(
    'MIG-SM-R13',
    'a pause and a recovery between two instances tell their steps in order at both ends',
    async (t) => {
      const two = await inPostcopy(t);
      two.turn();
      await two.source.does('migrate-pause');
      await two.source.until('postcopy-paused');
      await two.destination.until('postcopy-paused');
      await two.destination.runStateIs('running');
      two.turn();
      const uri = `unix:${two.destination.instance.scratch}/again.sock`;
      await two.destination.does('migrate-recover', { uri });
      await two.migrate({ uri, resume: true });
      await two.source.until('postcopy-active');
      await two.destination.until('postcopy-active');
      await hurry(two.source);
      await over(two);
      const setup = t.dialect.migration.recoverAgain.setup ? 'setup' : '';
      await two.destination.tells(
        `${setup} ↵migrate-recover postcopy-recover postcopy-active completed`,
        'destination',
      );
      const early = t.dialect.migration.recoverSetup ? 'postcopy-recover-setup' : '';
      await two.source.tells(`${early} ↵migrate postcopy-recover postcopy-active completed`, 'source');
      await two.source.runStateIs('postmigrate');
      await two.destination.runStateIs('running');
    },
    { needs: { ...postcopies, unless: unlessExact }, tags: ['MIG-SM-R09'] },
  )
  .must(
    'MIG-SM-R13.destination',
    'a pause that the destination asks for is recovered from as well, more than once',
    async (t) => {
      const two = await inPostcopy(t);
      for (let turn = 1; turn <= 2; turn++) {
        two.turn();
        await two.destination.does('migrate-pause');
        await two.destination.until('postcopy-paused');
        await two.source.until('postcopy-paused');
        const uri = `unix:${two.destination.instance.scratch}/again${turn}.sock`;
        await two.destination.does('migrate-recover', { uri });
        await two.migrate({ uri, resume: true });
        await two.source.until('postcopy-active');
        await two.destination.until('postcopy-active');
        // The baseline sends the rest without a limit.
        if (t.dialect.name === '3.0') break;
      }
      await hurry(two.source);
      await over(two);
      await two.destination.runStateIs('running');
    },
    { lasting: true, needs: { ...postcopies, unless: unlessExact } },
  )
  .must(
    'MIG-SM-O60.killed',
    'the end of the destination pauses the postcopy of the source',
    async (t) => {
      const two = await inPostcopy(t);
      two.turn();
      two.destination.instance.kill('SIGKILL');
      await two.source.until('postcopy-paused');
      await two.source.tells('postcopy-paused');
      await two.source.runStateIs('finish-migrate');
    },
    { needs: postcopies },
  )
  .must(
    'MIG-SM-I46.killed',
    'the end of the source pauses the postcopy of the destination, and the guest goes on',
    async (t) => {
      const two = await inPostcopy(t);
      two.turn();
      two.source.instance.kill('SIGKILL');
      await two.destination.until('postcopy-paused');
      await two.destination.tells('postcopy-paused');
      await two.destination.runStateIs('running');
    },
    { needs: postcopies },
  )
  .must(
    'MIG-SM-C10.pair',
    'a cancel in postcopy stops the source and pauses the destination, or is refused',
    async (t) => {
      const two = await inPostcopy(t);
      two.turn();
      const reply = await two.source.session.command('migrate_cancel');
      if (t.dialect.migration.cancelInPostcopyRefused) {
        t.failed(reply, 'GenericError', cannotCancelPostcopy);
        await two.source.statusIs('postcopy-active');
        return two.destination.statusIs('postcopy-active');
      }
      t.equal(t.succeeded(reply), {}, 'migrate_cancel');
      await two.source.until('cancelled');
      if (!(await staysStopped(t, two.source))) return;
      await two.destination.until('postcopy-paused');
      await two.destination.runStateIs('running');
      await two.source.emits('cancelling cancelled');
      await two.destination.tells('postcopy-paused');
    },
    { needs: { ...postcopies, unless: unlessExact } },
  )
  .done();
