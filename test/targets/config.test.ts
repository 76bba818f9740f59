import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ConfigError, configFileName, loadConfig } from '../../targets/config.js';
import { resolveTarget } from '../../targets/resolve.js';
import { TargetError } from '../../targets/target.js';

describe('config file', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'qmpspec-test-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const load = (content: unknown) => {
    const path = join(folder, configFileName);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return loadConfig(path);
  };

  it('names targets with all that can be said of them', () => {
    const mine = {
      target: 'command:m {qmp}',
      args: ['-v'],
      env: { A: 'b' },
      readiness: 1,
      deadline: 10,
      rateLimit: 0.5,
      dialect: '7.2',
    };
    const config = load({ $schema: 'x', targets: { mine } });
    expect(config.targets).to.deep.equal({ mine });
    expect(config.path).to.equal(join(folder, configFileName));
  });

  it('need not exist where it is not asked for', () => {
    const here = process.cwd();
    process.chdir(folder);
    try {
      rmSync(configFileName, { force: true });
      expect(loadConfig()).to.deep.equal({ targets: {} });
    } finally {
      process.chdir(here);
    }
  });

  it('is missed where it is asked for', () => {
    expect(() => loadConfig(join(folder, 'absent.json'))).to.throw(ConfigError, /absent\.json: there is no such file/);
  });

  const target = (more: object) => ({ targets: { mine: { target: 'qemu', ...more } } });
  const faults: [string, unknown, RegExp][] = [
    ['what is not JSON', '{', /qmpspec\.config\.json: .*JSON/],
    ['a list', [], /the file must be an object: /],
    [
      'an unknown member of the file',
      { target: {} },
      /the file has the unknown member 'target'; did you mean 'targets'\?/,
    ],
    [
      'an unknown member of a target',
      target({ redinness: 5 }),
      /targets\.mine has the unknown member 'redinness'; did you mean 'readiness'\?/,
    ],
    ['a target without a target', { targets: { mine: {} } }, /targets\.mine must have required property 'target'/],
    ['an empty target', target({ target: '' }), /targets\.mine\.target must NOT have fewer than 1 characters/],
    ['a wrong type', target({ deadline: '5s' }), /targets\.mine\.deadline must be integer/],
    ['a wrong type deep inside', target({ env: { A: 1 } }), /targets\.mine\.env\.A must be string/],
    ['a wrong type in a list', target({ args: ['a', 1] }), /targets\.mine\.args\.1 must be string/],
    ['a value out of range', target({ rateLimit: 0 }), /targets\.mine\.rateLimit must be > 0/],
    ['an unknown dialect', target({ dialect: '7.1' }), /targets\.mine\.dialect must be one of 3\.0, 7\.2, 10\.0/],
    ['a name that is none', { targets: { 'a b': { target: 'qemu' } } }, /targets .*'a b'|targets must match pattern/],
  ];
  for (const [name, content, message] of faults) {
    it(`refuses ${name}, and says where`, () => {
      expect(() => load(content)).to.throw(ConfigError, message);
    });
  }
});

describe('--target', () => {
  const refused = (name: string, targets: Parameters<typeof resolveTarget>[1] = { targets: {} }) => {
    try {
      resolveTarget(name, targets);
    } catch (error) {
      return error as Error;
    }
    return new Error('it was accepted');
  };

  it('has a suggestion for what it does not know', () => {
    const error = refused('refrence');
    expect(error).to.be.instanceOf(ConfigError);
    expect(error.message).to.match(
      /^unknown target 'refrence'; did you mean 'reference'\? A target is reference, qemu,/,
    );
    const config = { targets: { production: { target: 'qemu' } } };
    expect(refused('producton', config).message).to.contain("did you mean 'production'?");
    expect(refused('constructor').message).to.contain("unknown target 'constructor'");
  });

  it('tells which part of it is wrong', () => {
    expect(refused('reference:7.1').message).to.match(/'7\.1' is not a dialect of the reference; write one of 3\.0/);
    expect(refused('unix:').message).to.match(/lacks the path/);
    expect(refused('tcp:h:0')).to.be.instanceOf(ConfigError);
    expect(refused('command:mymonitor')).to.be.instanceOf(TargetError);
    expect(refused('command:mymonitor').message).to.match(
      /must say where the monitor listens, with \{qmp\} or \{qmp-path\}/,
    );
    expect(refused('qemu:/absent/qemu')).to.be.instanceOf(TargetError);
    expect(refused('qemu:/absent/qemu').message).to.equal('/absent/qemu is not a program that can be run');
    expect(refused('qemu:absent-qemu').message).to.match(/absent-qemu was not found on PATH/);
    expect(refused(`qemu:${process.cwd()}`).message).to.match(/is not a program/);
  });

  it('takes a name from the config file, with its dialect', () => {
    const config = {
      targets: { mine: { target: 'unix:/tmp/x', dialect: '7.2' as const }, plain: { target: 'unix:/x' } },
    };
    const { target, dialect } = resolveTarget('mine', config);
    expect([target.name, target.description, dialect]).to.deep.equal(['mine', 'unix:/tmp/x', '7.2']);
    expect(resolveTarget('plain', config)).not.to.have.property('dialect');
  });

  it('refuses settings that mean nothing for an address', () => {
    const config = { targets: { mine: { target: 'unix:/tmp/x', args: ['-v'] } } };
    expect(refused('mine', config).message).to.match(/targets\.mine\.args is for targets that are started/);
  });

  it('refuses arguments that would make every start another one', () => {
    const config = {
      targets: {
        paused: { target: 'qemu:/bin/sh', args: ['-name', 'm', '-S'] },
        large: { target: 'qemu:/bin/sh', args: ['--m', '1G'] },
        waiting: { target: 'reference', args: ['-incoming', 'defer'] },
      },
    };
    expect(refused('paused', config).message).to.match(
      /^targets\.paused\.args must not have -S: whether a guest is started paused is for/,
    );
    expect(refused('large', config).message).to.match(/must not have --m: how much memory it has/);
    for (const word of ['-daemonize', '--daemonize', '-runas', '-chroot'])
      expect(refused('gone', { targets: { gone: { target: 'qemu', args: [word] } } }).message).to.match(
        new RegExp(`^targets\\.gone\\.args must not have ${word}: .* (foreground|folder of a run)`),
      );
    expect(refused('waiting', config).message).to.match(/must not have -incoming: whether it waits for a migration/);
  });

  it('knows what each kind can do', () => {
    const attached = resolveTarget('tcp:10.0.0.1:4444').target;
    expect(attached.lacks('start')).to.match(/it runs already/);
    expect(attached.lacks('local')).to.match(/another machine/);
    expect(resolveTarget('tcp:127.0.0.1:4444').target.lacks('local')).to.equal(undefined);
    expect(resolveTarget('unix:/x').target.lacks('reconnect')).to.equal(undefined);
    const command = resolveTarget('command:m {qmp}').target;
    expect(command.lacks('incoming')).to.match(/its template has no \{incoming\}/);
    expect(command.lacks('arguments')).to.match(/one monitor/);
    expect(command.lacks('start')).to.equal(undefined);
    expect(resolveTarget('command:m {qmp} [{incoming}]').target.lacks('incoming')).to.equal(undefined);
    const wrapper = resolveTarget('command:wrap qemu {arguments}').target;
    for (const ability of ['start', 'incoming', 'arguments', 'exit'] as const)
      expect(wrapper.lacks(ability), ability).to.equal(undefined);
    expect(wrapper.lacks('direct')).to.match(/its template/);
    expect(resolveTarget('reference').target.lacks('arguments')).to.equal(undefined);
  });
});
