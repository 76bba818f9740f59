import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ConnectError, DeadlinePassed } from '../../protocol/errors.js';
import { Transcript } from '../../protocol/transcript.js';
import { commandTarget } from '../../targets/executable.js';
import { NotOffered, RefusedStart, type StartOptions, type Target, TargetError } from '../../targets/target.js';
import { inOrder, monitor, script } from './tiny-monitor.js';

const targets: Target[] = [];
const keep = (target: Target): Target => {
  targets.push(target);
  return target;
};
afterEach(() => Promise.all(targets.splice(0).map((target) => target.close())));

const refusal = async (target: Target): Promise<string> => {
  const outcome = await keep(target)
    .start()
    .then(
      () => new Error('it started'),
      (error: Error) => error,
    );
  expect(outcome, outcome.message).to.be.instanceOf(TargetError);
  return outcome.message;
};

describe('a monitor that greets and never answers', () => {
  it('is started once more, and the target remarks on it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'qmpspec-test-'));
    try {
      const file = JSON.stringify(join(folder, 'started-before'));
      const before = `(globalThis.before ??= require("fs").existsSync(${file}) ? "yes" : "no")`;
      const note = `require("fs").writeFileSync(${file}, "")`;
      const target = keep(monitor(`${before} === "yes" ? { return: {} } : void ${note}`));
      expect(target.remark).to.equal(undefined);
      const instance = await target.start();
      const session = await instance.connect();
      expect((await session.negotiate()).kind).to.equal('success');
      session.close();
      await (await target.start()).dispose();
      expect(target.remark).to.equal(
        'of 2 starts of the target 1 greeted and then did not answer; each was started once more',
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('a program that ends as soon as its monitor listens', () => {
  const folders: string[] = [];
  afterEach(() => folders.splice(0).map((folder) => rmSync(folder, { recursive: true, force: true })));

  /** @param when JavaScript in which `before` tells whether it was started before */
  const ending = (when: string): Target => {
    const folder = mkdtempSync(join(tmpdir(), 'qmpspec-test-'));
    folders.push(folder);
    const file = JSON.stringify(join(folder, 'started-before'));
    return keep(
      script(
        `const before = require("fs").existsSync(${file});
        require("fs").writeFileSync(${file}, "");
        const { createServer } = require("net");
        const line = (value) => JSON.stringify(value) + "\\r\\n";
        createServer((socket) => {
          if (${when}) { console.error("no luck"); process.exit(1); }
          socket.write(line({ QMP: { version: {}, capabilities: [] } }));
          socket.on("data", (chunk) => socket.write(line({ return: {}, id: JSON.parse(chunk).id })));
        }).listen(path);`.replace(/\s*\n\s*/g, ' '),
      ),
    );
  };

  it('is started once more, and the target remarks on it', async () => {
    const target = ending('!before');
    const session = await (await target.start()).connect();
    expect((await session.negotiate()).kind).to.equal('success');
    session.close();
    expect(target.remark).to.equal(
      'of 1 starts of the target 1 ended as soon as the monitor listened; each was started once more',
    );
  });

  it('cannot be run when it does so again', async () => {
    expect(await refusal(ending('true'))).to.match(/ended as soon as its monitor listened \(exit status 1\): no luck$/);
  });
});

describe('a program that does not become a monitor', () => {
  it('because it dies at once is told with its last word', async () => {
    const message = await refusal(script('console.error("first\\nno such machine"); process.exit(3);'));
    expect(message).to.match(/ended before its monitor listened \(exit status 3\): no such machine$/);
  });

  it('because it thinks that it is done is told with what may be behind it', async () => {
    expect(await refusal(script('process.exit(0);'))).to.match(
      /\(exit status 0\); it must stay in the foreground \(no -daemonize.*-no-shutdown/,
    );
  });

  it('because it is killed is told with the signal', async () => {
    expect(await refusal(script('process.kill(process.pid, "SIGSEGV");'))).to.match(/\(killed by SIGSEGV\)$/);
  });

  it('because it never listens is told after its time', async () => {
    const began = performance.now();
    const message = await refusal(script('setInterval(() => {}, 1000);', { readiness: 300 }));
    expect(message).to.match(
      /started, but nothing listened at unix:.*qmp1\.sock within \d+ ms: it must wait for connections there \(.*no reconnect\)$/,
    );
    expect(performance.now() - began).to.be.lessThan(5000);
  });

  it('because it waits for something before it listens is told with what it said last', async () => {
    const waiting = 'console.error("starting\\nwaiting for a lock"); setInterval(() => {}, 1000);';
    // Node needs a moment before it says anything.
    const message = await refusal(script(waiting, { readiness: 3000 }));
    expect(message).to.match(/within \d+ ms: .*; its last words: waiting for a lock$/);
  });

  it('because it does not exist or cannot be run is told', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'qmpspec-test-'));
    try {
      const file = join(folder, 'monitor');
      writeFileSync(file, '#!/bin/sh\n');
      expect(await refusal(commandTarget('x', `${file} {qmp}`))).to.equal(`${file} is not a program that can be run`);
      expect(await refusal(commandTarget('x', '/absent/monitor {qmp}'))).to.match(/is not a program that can be run/);
      expect(await refusal(commandTarget('x', 'absent-monitor {qmp}'))).to.match(/was not found on PATH/);
      writeFileSync(file, '#!/absent/interpreter\n');
      chmodSync(file, 0o755);
      expect(await refusal(commandTarget('x', `${file} {qmp}`))).to.match(
        /^cannot start .*: there is no such program$/,
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('leaves something that holds its output open is told all the same', async () => {
    const leave = 'require("child_process").spawn("sleep", ["5"], { detached: true, stdio: "inherit" }).unref();';
    const began = performance.now();
    const message = await refusal(script(`${leave} console.error("sorry"); process.exitCode = 1;`));
    expect(message).to.match(/exit status 1\): sorry$/);
    expect(performance.now() - began).to.be.lessThan(4000);
  });
});

describe('a start in a way that a template does not have', () => {
  const cases: [string, StartOptions, RegExp][] = [
    ['waiting', { incoming: 'defer' }, /no \{incoming\}/],
    ['paused', { paused: true }, /no \{paused\}/],
    ['with an image', { ramImage: '/x' }, /no \{ram-image\}/],
    ['with memory', { memory: 512 }, /no \{memory\}/],
    ['with two monitors', { monitors: [{ transport: 'unix' }, { transport: 'unix' }] }, /one monitor/],
    ['over tcp', { monitors: [{ transport: 'tcp' }] }, /one monitor/],
    ['with arguments', { extra: ['-x'] }, /fixed arguments/],
  ];
  for (const [name, options, message] of cases) {
    it(`${name} is refused and not left out in silence`, async () => {
      const outcome = await keep(monitor(inOrder))
        .start(options)
        .catch((error: Error) => error);
      expect(outcome).to.be.instanceOf(NotOffered);
      expect((outcome as Error).message).to.match(message);
    });
  }
});

describe('a program that does not take what a requirement starts it with', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qmpspec-test-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** @param does what the program does, as JavaScript, once its monitor is at `path` */
  const refusing = async (name: string, does: string, options: StartOptions): Promise<Error> => {
    const file = join(folder, `${name}.cjs`);
    writeFileSync(file, `const path = 'qmp1.sock'; ${does}`);
    return keep(commandTarget('x', `${process.execPath} ${file} {arguments}`))
      .start(options)
      .then(
        () => new Error('it started'),
        (error: Error) => error,
      );
  };
  const listens = (ending: string) => `require('net').createServer(() => { ${ending} }).listen(path);`;
  const complains = "console.error('no such thing'); process.exit(1)";

  it('refuses them, before or after its monitor listens', async () => {
    for (const [name, does] of Object.entries({ early: complains, late: listens(complains) })) {
      const error = await refusing(name, does, { extra: ['-x', 'y'] });
      expect(error, error.message).to.be.instanceOf(RefusedStart);
      expect(error.message).to.equal('it does not start with -x y: no such thing');
    }
  });

  it('is not told with the folder of the run, whose name is another each time', async () => {
    const says = "console.error('no ' + process.cwd() + '/disk'); process.exit(1)";
    const error = await refusing('named', says, { extra: ['-x'] });
    expect(error.message).to.equal('it does not start with -x: no disk');
  });

  it('refuses monitors with an option that it does not know', async () => {
    const oob = { monitors: [{ transport: 'unix', oob: true }] } as const;
    const unknown = await refusing('x-oob', `console.error("Invalid parameter 'x-oob'"); process.exit(1)`, oob);
    expect(unknown, unknown.message).to.be.instanceOf(RefusedStart);
    expect(unknown.message).to.equal("its monitors have no option x-oob: Invalid parameter 'x-oob'");
    expect(await refusing('other', complains, oob)).to.be.instanceOf(TargetError);
  });
});

describe('an instance', () => {
  it('gives sessions, one after the other', async () => {
    const instance = await keep(monitor(inOrder)).start();
    for (let i = 0; i < 3; i++) {
      const session = await instance.connect();
      expect((await session.negotiate()).kind).to.equal('success');
      session.close();
    }
  });

  it('has one monitor unless more were asked for', async () => {
    const instance = await keep(monitor(inOrder)).start();
    expect(instance.monitors).to.equal(1);
    const error = await instance.connect({ monitor: 1 }).catch((error: Error) => error);
    expect((error as Error).message).to.equal('the instance has 1 monitors; number 2 was asked for');
  });

  it('works in its scratch folder, with the arguments and environment of its settings', async () => {
    const settings = { args: ['one', 'two'], env: { QMPSPEC_TEST: 'yes' } };
    const say = 'console.error(process.cwd(), process.argv.slice(2).join(), process.env.QMPSPEC_TEST)';
    const instance = await keep(monitor(`(${say}, { return: {} })`, settings)).start();
    const session = await instance.connect();
    await session.negotiate();
    for (let i = 0; i < 100 && !instance.stderr.includes('\n'); i++) await session.fence();
    expect(instance.stderr).to.contain(`${instance.scratch} one,two yes\n`);
  });

  it('records what it says and how it ends', async () => {
    const instance = await keep(
      monitor('execute === "quit" ? (console.error("é".repeat(3)), process.exit(7)) : { return: {} }'),
    ).start();
    const transcript = new Transcript();
    instance.record(transcript, 'destination');
    const session = await instance.connect();
    session.post('quit');
    expect(await instance.exited(5000)).to.deep.equal({ code: 7, signal: null });
    expect(instance.exit).to.deep.equal({ code: 7, signal: null });
    const facts = transcript.entries.filter(({ kind }) => kind === 'stderr' || kind === 'exited');
    expect(facts.map(({ at, kind, text }) => [at, kind, text])).to.deep.equal([
      ['destination', 'stderr', 'ééé'],
      ['destination', 'exited', 'exit status 7'],
    ]);
    expect(await instance.connect().catch((error: unknown) => error)).to.be.instanceOf(ConnectError);
  });

  it('that lives on passes the deadline of its end', async () => {
    const instance = await keep(monitor(inOrder)).start();
    expect(await instance.exited(20).catch((error: unknown) => error)).to.be.instanceOf(DeadlinePassed);
    instance.kill('SIGTERM');
    expect(await instance.exited(5000)).to.deep.equal({ code: null, signal: 'SIGTERM' });
  });

  it('that ignores SIGTERM and says too much is disposed of quickly, as often as one likes', async () => {
    const noisy =
      '(process.on("SIGTERM", () => {}), process.stderr.write("x".repeat(1e6)), process.stdout.write("y".repeat(1e6)), { return: {} })';
    const instance = await keep(monitor(noisy)).start();
    const session = await instance.connect();
    await session.negotiate();
    await Promise.all([instance.dispose(), instance.dispose()]);
    await instance.dispose();
    expect(instance.exit?.signal).to.equal('SIGKILL');
    expect(existsSync(instance.scratch)).to.equal(false);
    expect(instance.stderr.length).to.be.at.most(256 * 1024);
    expect(session.ended).to.equal(true);
  });
});
