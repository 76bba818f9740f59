/** commands.md §3: what each capability does to a migration, as far as a machine without disks and devices shows it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Trial } from '../../oracle/trial.js';
import { type JsonObject, stringifyJson } from '../../protocol/json.js';
import { ChapterBuilder } from '../requirement.js';
import { over, pair, pairNeeds } from '../state-machine/pair.js';
import { pausedPostcopy, pauseNeeds, postcopyNeeds } from '../state-machine/postcopy.js';
import { peerNeeds, source } from '../state-machine/source.js';
import { Captured, captureNeeds } from '../stream-format/capture.js';

const builder = new ChapterBuilder(['Effects', 'Capabilities'], 'commands.md §3', peerNeeds);

/** For block devices, or for another transport: a machine that has neither migrates as without them. */
for (const capability of ['zero-blocks', 'rdma-pin-all', 'dirty-bitmaps', 'auto-converge', 'release-ram']) {
  builder.must(
    `MIG-CMD-EFF.${capability}`,
    `${capability} leaves a migration alone that it does not concern`,
    async (t) => {
      const plain = await source(t, 'answer');
      await plain.migrate();
      await plain.until('completed');
      await plain.runs('postmigrate');
      const without = (await plain.story()).filter((word) => word !== 'P');
      await plain.does('cont');
      const capabilities = [{ capability, state: true }];
      const reply = await plain.session.command('migrate-set-capabilities', { capabilities });
      if (reply.kind === 'failure') {
        // A build without the device or the library says so.
        t.failed(reply, 'GenericError', undefined, capability);
        return;
      }
      plain.turn();
      await plain.migrate();
      await plain.until('completed');
      await plain.runs('postmigrate');
      const words = (await plain.story()).filter((word) => word !== 'P');
      t.check(words.join(' ') === without.join(' '), without.join(' '), words.join(' '));
    },
    { needs: { capabilities: [capability] } },
  );
}

/** Bytes of a disk. */
const diskSize = 2 ** 20;

/** How a source is told what to send. */
interface WayToSend {
  readonly capabilities?: readonly string[];
  readonly parameters?: JsonObject;
  readonly call?: JsonObject;
}

export const capabilityEffects = builder
  .must(
    'MIG-CMD-EFF.zero-chunks',
    'with zero-blocks a disk of zeros is sent by name alone',
    async (t) => {
      const { scratch } = await t.instance();
      const file = join(scratch, 'zeros.img');
      await writeFile(file, Buffer.alloc(diskSize));
      const sent: number[] = [];
      for (const capabilities of [[], ['zero-blocks']]) {
        const extra = ['-drive', `file=${file},format=raw,if=none,id=disk`];
        const one = await Captured.open(t, { image: null, capabilities, start: { extra } });
        await one.migrates({ blk: true });
        await one.completes();
        sent.push(one.bytes().length);
      }
      const [without = 0, short = 0] = sent;
      t.check(without >= diskSize, `${diskSize} bytes or more`, `${without}`, 'the stream without');
      t.check(short < without - diskSize / 2, 'much less', `${short}`, 'the stream with zero-blocks');
    },
    { needs: { ...captureNeeds, capabilities: ['zero-blocks'], members: ['migrate.blk'] } },
  )
  .must(
    'MIG-CMD-EFF.block',
    'with block the contents of disks are sent, as with blk',
    async (t) => {
      for (const way of [{ call: { blk: true } }, { capabilities: ['block'] }]) {
        const more = (await sentOfDisk(t, way)) - (await sentOfDisk(t, {}));
        // A chunk says which one of which disk it is, and where all of them are through.
        const holds = more > diskSize && more < 1.5 * diskSize;
        t.check(holds, `${diskSize} bytes more, and a little`, `${more} bytes`, stringifyJson(way));
      }
    },
    { needs: { ...captureNeeds, capabilities: ['block'], members: ['migrate.blk'] } },
  )
  .must(
    'MIG-CMD-EFF.block-incremental',
    'with inc or block-incremental no more of a disk is sent than its topmost layer has',
    async (t) => {
      const parameters = { 'block-incremental': true };
      for (const way of [{ call: { inc: true } }, { capabilities: ['block'], parameters }]) {
        const [whole, top] = [await sentOfDisk(t, way, []), await sentOfDisk(t, way, ['snapshot=on'])];
        const holds = whole > diskSize && top < diskSize / 2;
        t.check(holds, `${diskSize} bytes, and few of an empty layer`, `${whole} and ${top}`, stringifyJson(way));
      }
    },
    {
      needs: {
        ...captureNeeds,
        capabilities: ['block'],
        members: ['migrate.blk', 'migrate.inc'],
        parameters: ['block-incremental'],
      },
    },
  )
  .must(
    'MIG-CMD-EFF.late-block-activate',
    'with late-block-activate the guest runs after the load as without it',
    async (t) => {
      const two = await pair(t, { both: ['late-block-activate'] });
      await two.migrate();
      await over(two);
      await two.destination.runs('running');
    },
    { needs: { ...pairNeeds, capabilities: ['late-block-activate'] } },
  )
  .must(
    'MIG-CMD-MIG-03',
    'a postcopy whose memory was released cannot be resumed',
    async (t) => {
      const one = await pausedPostcopy(t, 'answer', { capabilities: ['release-ram'] });
      one.turn();
      const args = { uri: one.peer.uri, resume: true };
      const text = 'Postcopy recovery cannot work when release-ram capability is set';
      t.failed(await one.session.command('migrate', args), 'GenericError', text, 'resume');
      await one.statusIs('postcopy-paused');
      await one.emits('');
    },
    {
      needs: {
        ...postcopyNeeds,
        ...pauseNeeds,
        commands: [...postcopyNeeds.commands, ...pauseNeeds.commands],
        capabilities: [...postcopyNeeds.capabilities, 'release-ram'],
      },
    },
  )
  .done();

/** Bytes of a stream beside a disk without zeros. @param options of its drive */
async function sentOfDisk(t: Trial, way: WayToSend, options: readonly string[] = []): Promise<number> {
  const { capabilities = [], parameters = {}, call = {} } = way;
  const { scratch } = await t.instance();
  const file = join(scratch, 'ones.img');
  await writeFile(file, Buffer.alloc(diskSize, 1));
  const drive = [`file=${file}`, 'format=raw', 'if=none', 'id=disk', ...options].join(',');
  const one = await Captured.open(t, { image: null, capabilities, parameters, start: { extra: ['-drive', drive] } });
  await one.migrates(call);
  await one.completes();
  return one.bytes().length;
}
