/** stream-format.md §2: file header and configuration. */
import type { Subsection } from '../../reference/stream/stream-writer.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { ChapterBuilder } from '../requirement.js';
import { destination } from '../state-machine/destination.js';
import { takes } from './accepted-row.js';
import { capture, captureNeeds } from './capture.js';
import { failNeeds, loadNeeds, refuses } from './loading.js';
import { capabilityList, u32 } from './subsections.js';

const uuid = '12345678-9abc-4def-8123-456789abcdef';
const uuidBytes = Buffer.from(uuid.replaceAll('-', ''), 'hex');
const exact = { unless: unlessExact } as const;

const identity = (bytes: Buffer): Subsection => ({ name: 'configuration/uuid', version: 1, body: bytes });

export const header = new ChapterBuilder(
  ['Migration stream', '2 File header and configuration'],
  'stream-format.md §2',
  captureNeeds,
)
  .must('MIG-STR-HDR-01', 'a stream begins with the magic QEVM and version 3', async (t) => {
    const [one] = await capture(t, { image: null });
    t.same(one.bytes().toString('hex', 0, 8), '5145564d00000003', 'header');
  })
  .must('MIG-STR-HDR-02', 'the configuration names the machine by its version, and follows at once', async (t) => {
    const [one] = await capture(t, { image: null });
    const head = one.bytes().subarray(8, 17);
    t.same(head.toString('hex'), `0700000004${Buffer.from('none').toString('hex')}`, 'configuration');
    const next = one.bytes()[17];
    t.check(next === 1 || next === 8, 'a START section or a command behind it', `byte ${next}`);
  })
  .must('MIG-STR-HDR-03', 'the configuration has no subsection unless a capability asks for one', async (t) => {
    const [, recording] = await capture(t, { image: null });
    t.same(recording.subsections.length, 0, 'subsections');
    t.same(recording.machine, 'none', 'machine');
  })
  .must(
    'MIG-STR-HDR-04',
    'with validate-uuid the configuration carries the UUID of the machine',
    async (t) => {
      const start = { extra: ['-uuid', uuid] };
      const [, recording] = await capture(t, { image: null, capabilities: ['validate-uuid'], start });
      const found = recording.subsections.find(({ name }) => name === 'configuration/uuid');
      t.same(found?.body.toString('hex'), uuidBytes.toString('hex'), 'UUID');
      t.same(found?.version, 1, 'version');
    },
    { needs: { capabilities: ['validate-uuid'], ...exact } },
  )
  .must(
    'MIG-STR-HDR-05',
    'a destination accepts its own name, and every beginning of it',
    (t) => takes(t, 'MIG-STR-HDR-05'),
    { needs: loadNeeds },
  )
  .must(
    'MIG-STR-HDR-06',
    'a destination refuses a name that is longer than its own',
    (t) =>
      refuses(t, (writer, feed) => {
        writer.header();
        writer.configuration('nonex');
        feed.end();
      }),
    { needs: failNeeds },
  )
  .must('MIG-STR-HDR-07', 'a destination accepts the page size of its own target', (t) => takes(t, 'MIG-STR-HDR-07'), {
    needs: loadNeeds,
  })
  .must(
    'MIG-STR-HDR-08',
    'a destination accepts a list of capabilities that agrees with its own, whatever else it names',
    (t) => takes(t, 'MIG-STR-HDR-08'),
    {
      needs: {
        ...loadNeeds,
        unless: ({ dialect }) =>
          dialect.stream.configurationSubsections.includes('capabilities') ? undefined : 'no such subsection',
      },
    },
  )
  .must(
    'MIG-STR-HDR-09',
    'a destination accepts its own UUID, and any UUID when it has none',
    async (t) => {
      for (const extra of [['-uuid', uuid], []]) {
        const one = await destination(t, { start: { extra }, capabilities: ['validate-uuid'] });
        const feed = await one.loads();
        feed.writer.header();
        feed.writer.configuration('none', [identity(uuidBytes)]);
        feed.end().send();
        await one.until('completed');
        await one.statusIs('completed');
      }
    },
    { needs: { ...loadNeeds, capabilities: ['validate-uuid'], ...exact } },
  )
  .must(
    'MIG-STR-HDR-10',
    'a destination refuses another UUID than its own',
    (t) =>
      refuses(
        t,
        (writer, feed) => {
          writer.header();
          writer.configuration('none', [identity(Buffer.alloc(16, 7))]);
          feed.end();
        },
        { extra: ['-uuid', uuid], capabilities: ['validate-uuid'], lines: [/UUID received is .* and local is/] },
      ),
    { needs: { ...failNeeds, capabilities: ['validate-uuid'], ...exact } },
  )
  .must(
    'MIG-STR-HDR-11',
    'a subsection of a foreign name is none, and what follows is no item',
    (t) =>
      refuses(
        t,
        (writer, feed) => {
          writer.header();
          writer.configuration('none', [{ name: 'timer/nothing', version: 1, body: u32(0) }]);
          feed.end();
        },
        { lines: [/Unknown savevm section type 5/] },
      ),
    { needs: failNeeds },
  )
  .must(
    'MIG-STR-HDR-12',
    'the receiver of a stream with x-ignore-shared must have it on, too',
    async (t) => {
      const one = await destination(t, {});
      const reply = await one.session.command('migrate-set-capabilities', {
        capabilities: [{ capability: 'x-ignore-shared', state: false }],
      });
      t.succeeded(reply);
      const feed = await one.loads();
      one.turn();
      feed.writer.header();
      feed.writer.configuration('none', [capabilityList('x-ignore-shared')]);
      feed.end().send();
      await one.fails();
    },
    { needs: { ...failNeeds, capabilities: ['x-ignore-shared'], ...exact } },
  )
  .must(
    'MIG-STR-HDR-13',
    'with x-ignore-shared the configuration lists it, and the setup gives the guest address of each block',
    async (t) => {
      const [one, recording] = await capture(t, { capabilities: ['x-ignore-shared'] });
      const found = recording.subsections.find(({ name }) => name === 'configuration/capabilities');
      const listed = capabilityList('x-ignore-shared').body.toString('hex');
      t.same(found?.body.toString('hex'), listed, 'capabilities');
      t.same(recording.setup[0]?.guestAddress, 0, 'guest address of the first block');
      one.carries(recording);
    },
    { needs: { capabilities: ['x-ignore-shared'], ...exact } },
  )
  .done();
