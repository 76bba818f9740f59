/** state-machine.md §3.2: passes over the guest's memory while it runs. */
import type { JsonObject } from '../../protocol/json.js';
import { otherMemory } from '../../targets/machine.js';
import { becomes } from '../commands/observe.js';
import { ChapterBuilder } from '../requirement.js';
import { active, peerNeeds, someRam, source } from './source.js';
import { device, passesCount, passNumbers } from './story.js';
import { inProgress, nothingToResume } from './texts.js';

export const iteration = new ChapterBuilder(
  ['State machine', '3.2 Precopy iteration'],
  'state-machine.md §3.2',
  peerNeeds,
)
  .must('MIG-SM-O20', 'every pass is told, and passes of a first migration count from 1 without a gap', async (t) => {
    const one = await source(t, 'answer');
    await one.migrate();
    await one.until('completed');
    await one.runs('postmigrate');
    const numbers = passNumbers(one.messages);
    passesCount(t, numbers);
    const { ram } = await one.info();
    const count = (ram as { 'dirty-sync-count'?: number } | undefined)?.['dirty-sync-count'];
    t.same(count, numbers.at(-1), 'dirty-sync-count');
  })
  .must(
    'MIG-SM-O21.cut',
    'a peer that closes in the middle of the memory fails the migration',
    async (t) => {
      const one = await source(t, 'cut', { ram: someRam, bytes: 300_000 });
      await one.migrate();
      await one.until('failed');
      await one.tells('setup ↵migrate P active P* failed');
      await one.statusIs('failed');
      await one.runStateIs('running');
    },
    // Memory that is all zeros may have been sent before the peer is seen to have gone.
    { needs: { unless: otherMemory } },
  )
  .must('MIG-SM-O21.paced', 'a peer that goes while little is sent fails the migration', async (t) => {
    const one = await active(t);
    // What is shown now is not shown any more once it has failed.
    await one.statusIs('active');
    one.peer.cut();
    await one.until('failed');
    const { ram } = await one.info();
    t.check(ram === undefined, 'no figures any more', 'ram', 'query-migrate');
    await one.tells('setup ↵migrate P active P* failed');
    await one.runStateIs('running');
    // The baseline tells only why it could not connect.
    if (t.dialect.migration.errorDesc === 'connect') return;
    const told = ({ 'error-desc': text }: JsonObject) => typeof text === 'string' && text !== '';
    await becomes(t, one.session, 'query-migrate', 'an error-desc of what broke the channel', told);
  })
  .must('MIG-SM-O22', 'stop and cont work while memory is sent, and show as they always do', async (t) => {
    const one = await active(t);
    one.turn();
    await one.does('stop');
    await one.runStateIs('paused');
    await one.does('cont');
    await one.runStateIs('running');
    await one.tells('S ↵stop R ↵cont');
    await one.statusIs('active');
  })
  .must('MIG-SM-O22.switch-over', 'the switch-over finds the run state that is then', async (t) => {
    const one = await active(t, { ram: 1 });
    await one.does('stop');
    one.turn();
    await one.does('migrate-set-parameters', { 'max-bandwidth': 0 });
    await one.until('completed');
    await one.runs('postmigrate');
    await one.emits(`P* ${device(t)} P completed`);
  })
  .must('MIG-SM-O23', 'parameters can be set while memory is sent, and the bandwidth takes effect', async (t) => {
    const one = await active(t, { ram: 1 });
    one.turn();
    await one.does('migrate-set-parameters', { 'downtime-limit': 200 });
    const shown = t.succeeded(await one.session.command('query-migrate-parameters'));
    t.same((shown as { 'downtime-limit'?: number })['downtime-limit'], 200, 'downtime-limit');
    await one.statusIs('active');
    await one.tells('P*');
    await one.does('migrate-set-parameters', { 'max-bandwidth': 0 });
    await one.until('completed');
    await one.runs('postmigrate');
    await one.emits(`P* S ${device(t)} P completed`);
  })
  .must('MIG-SM-O24', 'a second migrate and other capabilities are refused and disturb nothing', async (t) => {
    const one = await active(t);
    one.turn();
    const { session, peer } = one;
    t.failed(await session.command('migrate', { uri: peer.uri }), 'GenericError', inProgress);
    t.failed(await session.command('migrate', { uri: peer.uri, resume: true }), 'GenericError', nothingToResume);
    const capabilities = [{ capability: 'xbzrle', state: true }];
    t.failed(await session.command('migrate-set-capabilities', { capabilities }), 'GenericError', inProgress);
    // Not even none may be set (MIG-CMD-SCAP-02).
    const none = await session.command('migrate-set-capabilities', { capabilities: [] });
    t.failed(none, 'GenericError', inProgress, 'an empty list');
    await one.tells('✗migrate ✗migrate');
    await one.statusIs('active');
    t.check(peer.connections === 1, 'one connection', `${peer.connections}`);
  })
  .done();
