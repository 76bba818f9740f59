import { expect } from 'chai';
import { success } from '../../../oracle/patterns.js';
import type { Trial } from '../../../oracle/trial.js';
import type { Received } from '../../../protocol/message.js';
import { Schema } from '../../../qapi/schema.js';
import { buildParts, builtWithout } from '../../../reference/dialects/built-without.js';
import { dialects } from '../../../reference/dialects/dialect.js';
import { type Conduct, conduct, excerpt } from '../../../suites/conduct.js';
import type { TargetFacts } from '../../../targets/facts.js';
import { NotOffered } from '../../../targets/target.js';
import { type Answer, inOrder, laboratory, ok, refuse, type ScriptedTarget } from '../../oracle/scripted-target.js';

const judge = async (
  run: (trial: Trial, target: ScriptedTarget) => Promise<void>,
  answer: Answer = inOrder,
  deadline = 2000,
  facts: Partial<TargetFacts> = {},
): Promise<Conduct & { target: ScriptedTarget }> => {
  const lab = laboratory(answer, { facts });
  try {
    const requirement = {
      id: 'X',
      level: 'MUST',
      title: '',
      spec: '',
      deadline,
      run: (t: Trial) => run(t, lab.target),
    } as const;
    return { ...(await conduct(requirement, lab.settings)), target: lab.target };
  } finally {
    await lab.close();
  }
};

describe('the verdict of a requirement', () => {
  it('is "conforms" when its checks held', async () => {
    const result = await judge(async (t) => {
      const session = await t.session();
      t.matches(await session.command('query-name'), success({}));
    });
    expect(result.verdict).to.deep.equal({ kind: 'conforms' });
    expect(result.checks).to.equal(2);
    expect(result).not.to.have.any.keys('excerpt', 'fatal', 'stderr');
  });

  it('is "vacuous" when nothing was checked', async () => {
    const result = await judge(async (t) => {
      await t.connect();
    });
    expect(result.verdict.kind).to.equal('vacuous');
  });

  it('is a divergence with the way there, though the connection is still open', async () => {
    const result = await judge(
      async (t) => {
        const session = await t.session();
        t.succeeded(await session.command('query-name'), 'asking for the name');
      },
      (asked, instance) => {
        instance.stderr = 'warning\n';
        return asked.execute === 'query-name' ? refuse(asked) : inOrder(asked, instance);
      },
    );
    expect(result.verdict.kind).to.equal('divergence');
    expect(result.verdict.divergence).to.deep.include({ expected: ['a success reply'], step: 'asking for the name' });
    expect(result.excerpt?.at(-1)).to.match(/<- \{"error".*<-- here$/);
    expect(result.excerpt?.join('\n')).to.contain('-> {"execute":"query-name"');
    expect(result.stderr).to.deep.equal(['warning']);
  });

  it('is "not applicable" where a command was refused as unknown that the target does not offer', async () => {
    const lists = (...names: string[]) => ({
      commands: new Set(['qmp_capabilities', ...names]),
      schema: new Schema([]),
    });
    const refuses: Answer = (asked, instance) =>
      asked.execute === 'query-name' ? refuse(asked, 'CommandNotFound') : inOrder(asked, instance);
    const names = async (t: Trial) => {
      t.succeeded(await (await t.session()).command('query-name'));
    };
    const escaped = async (t: Trial) => {
      const [got] = await (await t.session()).exchange('{"execute":"query-\\u006eame","id":1}\n');
      t.succeeded(got as Received);
    };
    for (const run of [names, escaped]) {
      const { verdict } = await judge(run, refuses, 2000, lists('query-version'));
      expect(verdict).to.deep.equal({ kind: 'not-applicable', reason: 'no command query-name' });
    }
    // What it lists, and what the protocol does not know, is no excuse.
    expect((await judge(names, refuses, 2000, lists('query-name'))).verdict.kind).to.equal('divergence');
    const odd = async (t: Trial) => {
      const session = await t.session();
      t.failed(await session.command('qmpspec-none'), 'CommandNotFound');
      t.succeeded(await session.command('query-name'));
    };
    const fails: Answer = (asked, instance) =>
      asked.execute === 'query-name' ? refuse(asked) : inOrder(asked, instance);
    expect((await judge(odd, fails, 2000, lists('query-name'))).verdict.kind).to.equal('divergence');
  });

  it('is "not applicable" for want of a part of the build only where that lacked it from the start', async () => {
    const [part] = buildParts as [(typeof buildParts)[0]];
    const asks = async (t: Trial) => {
      t.succeeded(await (await t.session()).command('migrate', { uri: 'unix:/x', blk: true }));
    };
    const refuses: Answer = (asked, instance) =>
      asked.execute === 'migrate' ? refuse(asked, 'GenericError', part.desc) : inOrder(asked, instance);
    const lacking = { dialect: builtWithout(dialects['3.0'], [part]) };
    expect((await judge(asks, refuses, 2000, lacking)).verdict.kind).to.equal('not-applicable');
    expect((await judge(asks, refuses)).verdict.kind).to.equal('divergence');
  });

  it('is a divergence when a reply is missing but the monitor lives, and the probe is not in the excerpt', async () => {
    const result = await judge(
      async (t) => {
        await (await t.session()).command('query-name');
      },
      (asked, instance) => (asked.execute === 'query-name' ? undefined : inOrder(asked, instance)),
    );
    expect(result.verdict.kind).to.equal('divergence');
    expect(result.verdict.divergence?.expected[0]).to.match(/^reply to query-name with id/);
    expect(result.verdict.divergence?.got).to.equal('nothing within 150 ms');
    expect(result.excerpt?.join('\n')).not.to.contain('query-version');
  });

  it('is a divergence when the monitor closes the connection', async () => {
    const result = await judge(
      async (t) => {
        await (await t.session()).command('query-name');
      },
      (asked, instance) => {
        if (asked.execute !== 'query-name') return inOrder(asked, instance);
        return '{"end';
      },
    );
    expect(result.verdict.kind).to.equal('divergence');
  });

  it('is a hang when the monitor answers nobody any more', async () => {
    let wedged = false;
    const result = await judge(
      async (t) => {
        await (await t.session()).command('query-name');
      },
      (asked, instance) => {
        wedged ||= asked.execute === 'query-name';
        return wedged ? undefined : inOrder(asked, instance);
      },
    );
    expect(result.verdict.kind).to.equal('hang');
    expect(result.verdict.reason).to.match(/^the target no longer answers: no reply to qmp_capabilities/);
    expect(result.verdict.divergence?.expected[0]).to.match(/reply to query-name/);
    expect(result).not.to.have.property('fatal');
    expect(result.transcript.entries.at(-1)?.text).to.match(/^control probe: /);
  });

  it('is "not applicable" when a destination keeps silent in postcopy whose own guest may wait for a page', async () => {
    const silent = async (status: string, role: 'source' | 'destination', machine: string) => {
      let wedged = false;
      const run = async (t: Trial) => {
        const session = await t.session({ to: await t.start({}, role) });
        await session.command('query-name');
      };
      const answer: Answer = (asked, instance) => {
        wedged ||= asked.execute === 'query-name';
        const moved = { event: 'MIGRATION', timestamp: { seconds: 1, microseconds: 2 }, data: { status } };
        if (asked.execute === 'query-name') return JSON.stringify(moved);
        return wedged ? undefined : inOrder(asked, instance);
      };
      return (await judge(run, answer, 2000, { machine })).verdict;
    };
    expect(await silent('postcopy-paused', 'destination', 'pc-machine')).to.deep.equal({
      kind: 'not-applicable',
      reason: 'the guest of a pc-machine waits for a page that has not come, and its monitor with it',
    });
    expect((await silent('active', 'destination', 'pc-machine')).kind).to.equal('hang');
    expect((await silent('postcopy-paused', 'source', 'pc-machine')).kind).to.equal('hang');
    expect((await silent('postcopy-paused', 'destination', 'none-machine')).kind).to.equal('hang');
  });

  it('is a crash of the one that died, though its peer answers nobody any more', async () => {
    let wedged = false;
    const result = await judge(
      async (t) => {
        const other = await t.session({ to: await t.start({}, 'destination') });
        await (await t.session()).command('query-name');
        await other.command('query-name');
      },
      (asked, instance) => {
        if (asked.execute !== 'query-name') return wedged ? undefined : inOrder(asked, instance);
        wedged = true;
        instance.die({ code: null, signal: 'SIGABRT' });
        return undefined;
      },
    );
    expect(result.verdict).to.deep.include({ kind: 'crash', reason: 'the target died: killed by SIGABRT' });
  });

  it('is a crash when the process died of a signal', async () => {
    const result = await judge(
      async (t) => {
        await (await t.session()).command('query-name');
      },
      (asked, instance) => {
        if (asked.execute !== 'query-name') return ok(asked);
        instance.die({ code: null, signal: 'SIGSEGV' });
        return undefined;
      },
    );
    expect(result.verdict).to.deep.include({ kind: 'crash', reason: 'the target died: killed by SIGSEGV' });
  });

  it('is a crash even when every check held', async () => {
    const result = await judge(async (t, target) => {
      t.succeeded(await (await t.session()).command('query-name'));
      target.instances[0]?.die({ code: null, signal: 'SIGABRT' });
    });
    expect(result.verdict).to.deep.include({ kind: 'crash', reason: 'the target died: killed by SIGABRT' });
  });

  it('is no crash when the requirement ended the process itself', async () => {
    const result = await judge(async (t, target) => {
      await t.session();
      target.instances[0]?.kill('SIGKILL');
    });
    expect(result.verdict.kind).to.equal('conforms');
  });

  it('is garbage when what came is no JSON and that is why it failed', async () => {
    const result = await judge(
      async (t) => {
        await (await t.session()).command('query-name');
      },
      (asked, instance) => (asked.execute === 'query-name' ? '{"return": nan}' : inOrder(asked, instance)),
    );
    expect(result.verdict).to.deep.include({ kind: 'garbage', reason: 'it sent something that is not JSON' });
  });

  it('is inconclusive when the requirement itself is wrong', async () => {
    const result = await judge(async (t) => {
      await t.session();
      throw new TypeError('oops');
    });
    expect(result.verdict.kind).to.equal('inconclusive');
    expect(result.verdict.reason).to.match(/^the requirement itself failed: TypeError: oops\n\s+at /);
  });

  it('is inconclusive when there is no room for a file of its own, without a trace', async () => {
    const result = await judge(async (t) => {
      await t.session();
      throw Object.assign(new Error('oops'), { code: 'ENOSPC', path: '/x/image' });
    });
    expect(result.verdict).to.deep.equal({
      kind: 'inconclusive',
      reason: 'the disk is full: there is no room for /x/image (TMPDIR names another folder)',
    });
  });

  it('is "not applicable" when it needs a start that the target does not offer', async () => {
    const result = await judge(async (t, target) => {
      target.start = () => Promise.reject(new NotOffered('its template has no {paused}'));
      t.check(true, 'x', 'x');
      await t.start({ paused: true });
    });
    expect(result.verdict).to.deep.equal({ kind: 'not-applicable', reason: 'its template has no {paused}' });
    expect(result).not.to.have.property('fatal');
  });

  it('is inconclusive and fatal when the target does not start', async () => {
    const result = await judge(async (t, target) => {
      target.broken = true;
      await t.session();
    });
    expect(result.verdict).to.deep.equal({ kind: 'inconclusive', reason: 'it does not start' });
    expect(result.fatal).to.equal('it does not start');
  });

  it('is a divergence when it takes longer than it may', async () => {
    const began = performance.now();
    const result = await judge(
      async (t) => {
        await t.session();
        await new Promise(() => undefined);
      },
      inOrder,
      50,
    );
    expect(result.verdict.divergence).to.deep.equal({
      expected: ['end of the requirement'],
      got: 'nothing within 50 ms',
    });
    expect(performance.now() - began).to.be.lessThan(3000);
  });

  /** Asks six times and waits 400 ms, of which it has 100. */
  const asking = (milliseconds: number) =>
    judge(
      async (t) => {
        const text = '{"return": {}, "id": 1}';
        for (let i = 0; i < 6; i++) {
          t.transcript.add('source', 'sent', 'x', { time: 1000 * i });
          t.transcript.add('source', 'received', text, { time: 1000 * i + milliseconds });
        }
        await new Promise((resolve) => setTimeout(resolve, 400));
        t.check(true, 'x', 'x');
      },
      inOrder,
      100,
    );

  it('is not that it takes longer than it may where the monitor takes its time with each answer', async () => {
    expect((await asking(60)).verdict).to.deep.equal({ kind: 'conforms' });
    expect((await asking(5)).verdict.divergence?.expected).to.deep.equal(['end of the requirement']);
  });

  it('leaves no instance behind that failed', async () => {
    const result = await judge(async (t) => {
      t.check(false, 'a', (await t.connect()).log[0]);
    });
    expect(result.target.instances.map(({ disposed }) => disposed)).to.deep.equal([true]);
  });
});

describe('excerpt', () => {
  it('ends with the entry that diverged and has no more than it should', async () => {
    const { transcript } = await judge(async (t) => {
      const session = await t.session();
      for (let i = 0; i < 20; i++) await session.command('query-name');
    });
    const lines = excerpt(transcript.entries, 20, 5);
    expect(lines).to.have.length(5);
    expect(lines.at(-1)).to.match(/^ +20 .*<-- here$/);
    expect(excerpt(transcript.entries, undefined, 3).at(-1)).not.to.contain('here');
    expect(excerpt([], undefined)).to.deep.equal([]);
  });
});
