import { expect } from 'chai';
import type { DialectName } from '../../../reference/dialects/dialect.js';
import type { StartOptions } from '../../../reference/model/index.js';
import { walk } from './walk.js';

const listen = 'migrate-incoming {"uri":"unix:/m"}';
const loading = [listen, 'accepted'];
const running = [...loading, 'advised', 'discarded', 'listening', 'run'];
const recover = 'migrate-recover {"uri":"unix:/m"}';

interface Case {
  readonly rows: string;
  readonly start?: StartOptions;
  readonly dialect?: DialectName;
  readonly path: readonly string[];
  readonly story: string;
  /** `status/run state[/exit]` at the end. */
  readonly end: string;
}

const cases: readonly Case[] = [
  { rows: 'I01', start: { incoming: 'uri' }, path: ['listening'], story: 'M(setup)', end: 'none/inmigrate' },
  { rows: 'I02', start: { incoming: 'uri' }, path: ['listen-failed'], story: '', end: 'none/inmigrate/1' },
  {
    rows: 'I04 I09 I21',
    path: [...loading, 'loaded:running'],
    story: 'M(setup) ↵ M(active) R M(completed)',
    end: 'completed/running',
  },
  {
    rows: 'I05',
    path: ['migrate-incoming {"uri":"nonsense"}', listen],
    story: 'M(setup) ↵error(unknown migration protocol: nonsense) M(setup) ↵',
    end: 'none/inmigrate',
  },
  {
    rows: 'I06',
    path: [listen, listen],
    story: 'M(setup) ↵ ↵error(The incoming migration has already been started)',
    end: 'none/inmigrate',
  },
  {
    rows: 'I07',
    path: ['migrate {"uri":"unix:/m"}'],
    story: '↵error(Guest is waiting for an incoming migration)',
    end: 'none/inmigrate',
  },
  {
    rows: 'I08 stop',
    path: ['stop', ...loading, 'loaded:running'],
    story: '↵ M(setup) ↵ M(active) M(completed)',
    end: 'completed/paused',
  },
  {
    rows: 'I08 cont',
    start: { incoming: 'defer', paused: true },
    path: ['cont', ...loading, 'loaded:running'],
    story: '↵ M(setup) ↵ M(active) R M(completed)',
    end: 'completed/running',
  },
  {
    rows: 'I20',
    path: [...loading, 'load-failed'],
    story: 'M(setup) ↵ M(active) M(failed)',
    end: 'failed/inmigrate/1',
  },
  {
    rows: 'I20, exit-on-error off',
    dialect: '10.0',
    path: ['migrate-incoming {"uri":"unix:/m","exit-on-error":false}', 'accepted', 'load-failed'],
    story: 'M(setup) ↵ M(active) M(failed)',
    end: 'failed/inmigrate',
  },
  {
    rows: 'I21 stored state',
    path: [...loading, 'loaded:prelaunch', 'cont'],
    story: 'M(setup) ↵ M(active) M(completed) R ↵',
    end: 'completed/running',
  },
  {
    rows: 'I22',
    path: [...loading, 'migrate_cancel', 'migrate-set-capabilities {"capabilities":[]}'],
    story: 'M(setup) ↵ M(active) ↵ ↵',
    end: 'active/inmigrate',
  },
  {
    rows: 'I23',
    path: [...loading, 'migrate-pause'],
    story: 'M(setup) ↵ M(active) ↵error(migrate-pause is currently only supported during postcopy-active state)',
    end: 'active/inmigrate',
  },
  {
    rows: 'I24',
    path: [...loading, 'loaded:running', 'migrate {"uri":"unix:/m"}'],
    story: 'M(setup) ↵ M(active) R M(completed) M(setup) ↵',
    end: 'completed/running',
  },
  {
    rows: 'I30 then precopy end',
    path: [...loading, 'advised', 'loaded:running'],
    story: 'M(setup) ↵ M(active) R M(completed)',
    end: 'completed/running',
  },
  {
    rows: 'I32 I34 I36 I45',
    path: [...running, 'load-ended'],
    story: 'M(setup) ↵ M(active) M(postcopy-active) R M(completed)',
    end: 'completed/running',
  },
  {
    rows: 'I36 with -S',
    start: { incoming: 'defer', paused: true },
    path: running,
    story: 'M(setup) ↵ M(active) M(postcopy-active)',
    end: 'postcopy-active/paused',
  },
  {
    rows: 'I38',
    path: [...loading, 'advised', 'discarded', 'listening', 'load-failed'],
    story: 'M(setup) ↵ M(active) M(postcopy-active)',
    end: 'postcopy-active/inmigrate/1',
  },
  {
    rows: 'I46 I50 I52 I53 I54',
    path: [...running, 'migrate-pause', 'channel-error', recover, 'accepted', 'bitmap-sent', 'resumed'],
    story:
      'M(setup) ↵ M(active) M(postcopy-active) R ↵ M(postcopy-paused) M(setup) ↵ M(postcopy-recover) M(postcopy-active)',
    end: 'postcopy-active/running',
  },
  {
    rows: 'I47',
    path: [...running, recover],
    story: 'M(setup) ↵ M(active) M(postcopy-active) R ↵error(Migrate recover can only be run when postcopy is paused.)',
    end: 'postcopy-active/running',
  },
  {
    rows: 'I51',
    path: [...running, 'channel-error', recover, recover],
    story:
      'M(setup) ↵ M(active) M(postcopy-active) R M(postcopy-paused) M(setup) ↵ ↵error(Migrate recovery is triggered already)',
    end: 'postcopy-paused/running',
  },
  {
    rows: 'I51 in 7.2',
    dialect: '7.2',
    path: [...running, 'channel-error', recover, recover],
    story: 'M(setup) ↵ M(active) M(postcopy-active) R M(postcopy-paused) M(setup) ↵ M(setup) ↵',
    end: 'postcopy-paused/running',
  },
  {
    rows: 'I55',
    path: [...running, 'channel-error', recover, 'accepted', 'channel-error', recover],
    story:
      'M(setup) ↵ M(active) M(postcopy-active) R M(postcopy-paused) M(setup) ↵ M(postcopy-recover) M(postcopy-paused) M(setup) ↵',
    end: 'postcopy-paused/running',
  },
  {
    rows: 'I60 I61 I63',
    path: [...loading, 'loaded-for-colo', 'checkpoint', 'x-colo-lost-heartbeat', 'failover'],
    story: 'M(setup) ↵ M(active) M(colo) RESET ↵ M(completed) R',
    end: 'completed/running',
  },
  {
    rows: '10.2 failed bind',
    dialect: '10.0',
    path: [`${listen}@listen-failed`, listen],
    story: 'M(setup) ↵error(*) ↵error(Illegal migration incoming state: setup)',
    end: 'setup/inmigrate',
  },
  {
    rows: '10.2 -incoming URI in 7.2',
    dialect: '7.2',
    start: { incoming: 'uri' },
    path: ['listening', listen],
    story: 'M(setup) ↵error(The incoming migration has already been started)',
    end: 'none/inmigrate',
  },
];

const deferred: StartOptions = { incoming: 'defer' };

describe('model: incoming side', () => {
  for (const { rows, start = deferred, dialect = '3.0', path, story, end } of cases) {
    it(`MIG-SM ${rows}`, () => {
      const walked = walk(dialect, { capabilities: ['events', 'postcopy-ram'], ...start }, ...path);
      expect(walked.story).to.equal(story);
      const { in: incoming, vm, exit } = walked.state;
      expect([incoming.status, vm.runState, ...(exit === null ? [] : [exit])].join('/')).to.equal(end);
    });
  }

  it('announces setup without capability events in the baseline, and only with it in 10.0 (MIG-SM-E05)', () => {
    expect(walk('3.0', { incoming: 'defer' }, listen).story).to.equal('M(setup) ↵');
    expect(walk('10.0', { incoming: 'defer' }, listen).story).to.equal('↵');
  });
});
