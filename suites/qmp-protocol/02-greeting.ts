/** qmp-protocol.md §2: the greeting. */

import { anInteger, aString } from '../../oracle/patterns.js';
import type { Trial } from '../../oracle/trial.js';
import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import type { Received } from '../../protocol/message.js';
import type { TargetFacts } from '../../targets/facts.js';
import { RefusedStart, type StartOptions, TargetError } from '../../targets/target.js';
import { ChapterBuilder } from '../requirement.js';
import { offeredByAll, oobInstance } from './oob-target.js';
import { done } from './shapes.js';
import { expectingNegotiation } from './texts.js';

const several = { abilities: ['start', 'arguments'] } as const;
const notQemu = (facts: TargetFacts) => (facts.product === 'qemu' ? undefined : `the product is ${facts.product}`);
const always = (facts: TargetFacts) => (offeredByAll(facts) ? 'every monitor offers oob' : undefined);
const byOption = (facts: TargetFacts) => (!offeredByAll(facts) ? 'oob is offered by option' : undefined);

const body = (greeting: Received | undefined): JsonObject => {
  const qmp = isObject(greeting?.value) ? greeting.value.QMP : undefined;
  return isObject(qmp) ? qmp : {};
};

/** Starting with these options must fail, or end the process with an error before anybody is greeted. */
async function refusedAtStart(t: Trial, options: StartOptions): Promise<void> {
  let end = 'a running process';
  try {
    const instance = await t.start(options);
    const status = await instance.exited(5000);
    end = status.signal === null && status.code !== 0 && instance.stderr !== '' ? 'refused' : JSON.stringify(status);
  } catch (error) {
    // Whether it listened for a moment before it ended is chance.
    if (!(error instanceof TargetError || error instanceof RefusedStart)) throw error;
    end = 'refused';
  }
  t.check(end === 'refused', 'an exit with an error on standard error', end);
}

export const greeting = new ChapterBuilder(['QMP protocol', '2 Greeting'], 'qmp-protocol.md §2')
  .must('QMP-GREET-01', 'every new connection begins with one greeting, unprompted, and the same', async (t) => {
    let first: JsonValue | undefined;
    for (let round = 0; round < 3; round++) {
      const session = await t.connect();
      const later = await session.fence(0);
      t.sequence(later, [{ words: 'a greeting', test: (message) => message.kind === 'greeting' }]);
      first ??= later[0]?.value;
      t.same(later[0]?.value, first, 'the greeting of another client');
      session.close();
    }
  })
  .must('QMP-GREET-01.once', 'a process that has started greets no client twice', async (t) => {
    for (let round = 0; round < 3; round++) {
      const session = await t.session();
      await session.fence();
      // Those that are passed over while a process starts, too.
      const greetings = session.log.filter(({ kind }) => kind === 'greeting').length;
      t.check(greetings === 1, 'one greeting', `${greetings}`);
      session.close();
    }
  })
  .must('QMP-GREET-02', 'it is an object with the single member QMP, which has version and capabilities', async (t) => {
    const session = await t.connect();
    const first = session.log[0];
    t.members(first?.value, ['QMP'], [], 'the greeting');
    t.members(body(first), ['version', 'capabilities'], [], 'its QMP');
  })
  .must(
    'QMP-GREET-03',
    'version has qemu, with integers major, minor and micro, and a string package',
    async (t) => {
      const session = await t.connect();
      const { version } = body(session.log[0]);
      t.members(version, ['qemu', 'package'], [], 'version');
      const { qemu, package: name } = version as JsonObject;
      t.members(qemu, ['major', 'minor', 'micro'], [], 'version.qemu');
      for (const part of ['major', 'minor', 'micro']) t.equal((qemu as JsonObject)[part], anInteger, part);
      t.equal(name, aString, 'package');
      const numbers = /"(?:major|minor|micro)"\s*:\s*([^,}\s]*)/g;
      const written = [...(session.log[0]?.text ?? '').matchAll(numbers)].map((match) => match[1] as string);
      t.check(
        written.length === 3 && written.every((text) => /^\d+$/.test(text)),
        'plain decimal integers',
        session.log[0],
      );
    },
    { needs: { unless: notQemu } },
  )
  .must('QMP-GREET-03.query', 'the version is the one that query-version returns', async (t) => {
    const session = await t.session();
    t.same(
      t.succeeded(await session.command('query-version')),
      body(session.log[0]).version,
      'what query-version returns',
    );
  })
  .must('QMP-GREET-04', 'capabilities is a list of strings without repetition, and oob is the only name', async (t) => {
    const session = await t.connect();
    const { capabilities } = body(session.log[0]);
    const holds = Array.isArray(capabilities) && (capabilities.length === 0 || capabilities.join() === 'oob');
    t.check(holds, '[] or ["oob"]', session.log[0]);
  })
  .must(
    'QMP-GREET-05',
    'a monitor without the option x-oob does not offer oob',
    async (t) => {
      const instance = await t.start({ monitors: [{ transport: 'unix' }, { transport: 'unix', pretty: true }] });
      for (const monitor of [0, 1]) {
        const session = await t.connect({ to: instance, monitor });
        t.equal(body(session.log[0]).capabilities, [], 'capabilities');
      }
    },
    { needs: { ...several, unless: always } },
  )
  .must(
    'QMP-GREET-05.on',
    'a monitor with x-oob=on offers oob',
    async (t) => {
      const session = await t.connect({ to: await oobInstance(t) });
      t.equal(body(session.log[0]).capabilities, ['oob'], 'capabilities');
    },
    { needs: { ...several, unless: always } },
  )
  .should(
    'QMP-GREET-06',
    'x-oob=on for a readline monitor stops the process at its start',
    async (t) => {
      const chardev = 'socket,id=line,path=line.sock,server,nowait';
      await refusedAtStart(t, { extra: ['-chardev', chardev, '-mon', 'chardev=line,mode=readline,x-oob=on'] });
    },
    { needs: { ...several, unless: always } },
  )
  .should(
    'QMP-GREET-06.mux',
    'x-oob=on for a multiplexed device stops the process at its start',
    async (t) => {
      const chardev = 'socket,id=mux,path=mux.sock,server,nowait,mux=on';
      await refusedAtStart(t, { extra: ['-chardev', chardev, '-mon', 'chardev=mux,mode=control,x-oob=on'] });
    },
    { needs: { ...several, unless: always } },
  )
  .must(
    'QMP-D-01',
    'every monitor offers oob, whatever its transport',
    async (t) => {
      const monitors = [{ transport: 'unix' }, { transport: 'tcp' }, { transport: 'stdio' }] as const;
      const instance = await t.start({ monitors });
      for (const monitor of monitors.keys()) {
        const session = await t.connect({ to: instance, monitor });
        t.equal(body(session.log[0]).capabilities, ['oob'], 'capabilities');
      }
    },
    { needs: { ...several, unless: byOption } },
  )
  .should(
    'QMP-D-02',
    'the option x-oob is unknown',
    async (t) => {
      await refusedAtStart(t, { monitors: [{ transport: 'unix', oob: true }] });
    },
    { needs: { ...several, unless: byOption } },
  )
  .should(
    'QMP-D-09',
    'pretty=on of a readline monitor stops the process at its start',
    async (t) => {
      const chardev = 'socket,id=line,path=line.sock,server,nowait';
      await refusedAtStart(t, { extra: ['-chardev', chardev, '-mon', 'chardev=line,mode=readline,pretty=on'] });
    },
    {
      needs: {
        ...several,
        unless: (facts) =>
          byOption(facts) ??
          ((facts.readings ?? []).length > 0 ? 'it is not known of this release' : undefined) ??
          (facts.dialect.protocol.prettyNeedsQmp ? undefined : 'pretty is not looked at there'),
      },
    },
  )
  .must('QMP-GREET-07', 'a reconnect gives a new greeting and a monitor in negotiation mode', async (t) => {
    const first = await t.session();
    await first.fence();
    first.close();
    const second = await t.connect();
    const reply = await second.command('query-version');
    t.failed(reply, 'CommandNotFound', expectingNegotiation, 'before negotiation');
    t.succeeded(await second.command('qmp_capabilities'));
  })
  .must('QMP-GREET-07.buffer', 'a reconnect finds the input empty, whatever was cut off before', async (t) => {
    for (const text of ['{"execute":"qmp_cap', '{"a":[[[', '"', '12', '{"a":"\\u00']) {
      const first = await t.session({ condition: 'worn' });
      await first.fence();
      await first.sendBytes(text);
      first.close();
      const second = await t.connect();
      t.matches(await second.command('qmp_capabilities', undefined, { id: 1 }), done({}, { id: 1 }));
      second.close();
    }
  })
  .done();
