import { expect } from 'chai';
import { type Case, go, held, resume, setUp, toPostcopy, walkAll } from './outgoing-paths.js';
import { walk } from './walk.js';

const cases: readonly Case[] = [
  {
    rows: 'O01 O07 O12 O30 O31 O35 O36',
    path: [...setUp, 'dirty-sync', 'converged', 'guest-stopped', 'final-sync', 'completed', 'settled'],
    story: 'M(setup) ↵ P M(active) P S P M(completed)',
    end: 'completed/postmigrate',
  },
  {
    rows: 'O36 paused guest',
    paused: true,
    path: [...setUp, 'converged', 'guest-stopped', 'final-sync', 'completed', 'settled'],
    story: 'M(setup) ↵ P M(active) P M(completed)',
    end: 'completed/postmigrate',
  },
  {
    rows: 'O02',
    path: ['migrate {"uri":"exec:cat"}', 'first-sync', 'set-up-done'],
    story: 'M(setup) ↵ P M(active)',
    end: 'active/running',
  },
  {
    rows: 'O03',
    path: ['migrate {"uri":"nonsense"}'],
    story: "M(setup) M(failed) ↵error(Parameter 'uri' expects a valid migration protocol)",
    end: 'failed/running',
  },
  {
    rows: 'O04',
    path: ['migrate {"uri":"tcp:1"}'],
    story: "M(setup) M(failed) ↵error(error parsing address '1')",
    end: 'failed/running',
  },
  {
    rows: 'O06 in 10.0',
    dialect: '10.0',
    path: ['migrate {"uri":"nonsense"}'],
    story: '↵error(unknown migration protocol: nonsense)',
    end: 'none/running',
  },
  { rows: 'O08 R03', path: [go, 'connect-failed'], story: 'M(setup) ↵ M(failed)', end: 'failed/running' },
  {
    rows: 'O11',
    capabilities: ['return-path'],
    path: [go, 'connected', 'channels-unusable'],
    story: 'M(setup) ↵ M(failed)',
    end: 'failed/running',
  },
  {
    rows: 'O13',
    path: [go, 'connected', 'first-sync', 'set-up-failed'],
    story: 'M(setup) ↵ P M(active) M(failed)',
    end: 'failed/running',
  },
  { rows: 'O21', path: [...setUp, 'channel-error'], story: 'M(setup) ↵ P M(active) M(failed)', end: 'failed/running' },
  {
    rows: 'O22',
    path: [...setUp, 'stop', 'converged'],
    story: 'M(setup) ↵ P M(active) S ↵',
    end: 'active/finish-migrate',
  },
  {
    rows: 'O24',
    path: [...setUp, go],
    story: "M(setup) ↵ P M(active) ↵error(There's a migration process in progress)",
    end: 'active/running',
  },
  {
    rows: 'O32 O33 O36',
    capabilities: ['pause-before-switchover'],
    path: [...held, resume, 'continued', 'final-sync', 'completed', 'settled'],
    story: 'M(setup) ↵ P M(active) S M(pre-switchover) ↵ M(device) P M(completed)',
    end: 'completed/postmigrate',
  },
  {
    rows: 'O33 R02, reply last',
    capabilities: ['pause-before-switchover'],
    path: [...held, `${resume}@reply-later`, 'continued', 'final-sync', 'completed', 'reply'],
    story: 'M(setup) ↵ P M(active) S M(pre-switchover) M(device) P M(completed) ↵',
    end: 'completed/finish-migrate',
  },
  {
    rows: 'O34',
    capabilities: ['pause-before-switchover'],
    path: [...held, 'peer-closed'],
    story: 'M(setup) ↵ P M(active) S M(pre-switchover)',
    end: 'pre-switchover/finish-migrate',
  },
  {
    rows: 'O37',
    capabilities: ['return-path'],
    path: [...setUp, 'converged', 'guest-stopped', 'final-sync', 'all-written', 'peer-shut', 'settled'],
    story: 'M(setup) ↵ P M(active) S P M(completed)',
    end: 'completed/postmigrate',
  },
  {
    rows: 'O38 R06',
    capabilities: ['return-path'],
    path: [...setUp, 'converged', 'guest-stopped', 'final-sync', 'all-written', 'return-path-error', 'settled'],
    story: 'M(setup) ↵ P M(active) S P M(failed) R',
    end: 'failed/running',
  },
  {
    rows: 'O39',
    capabilities: ['return-path'],
    path: [...setUp, 'converged', 'guest-stopped', 'final-sync', 'all-written', 'peer-closed', 'settled'],
    story: 'M(setup) ↵ P M(active) S P M(failed) R',
    end: 'failed/running',
  },
  {
    rows: 'O40 paused guest',
    paused: true,
    path: [...setUp, 'converged', 'guest-stopped', 'channel-error', 'settled'],
    story: 'M(setup) ↵ P M(active) M(failed)',
    end: 'failed/postmigrate',
  },
  {
    rows: 'O40 paused guest in 10.0',
    dialect: '10.0',
    paused: true,
    path: [...setUp, 'converged', 'guest-stopped', 'channel-error', 'settled'],
    story: 'M(setup) ↵ P M(active) M(device) M(failed)',
    end: 'failed/prelaunch',
  },
  {
    rows: 'O42',
    capabilities: ['pause-before-switchover'],
    path: [...held, 'cont'],
    story: 'M(setup) ↵ P M(active) S M(pre-switchover) ↵error(Migration is not finalized yet)',
    end: 'pre-switchover/finish-migrate',
  },
  {
    rows: 'O43',
    capabilities: ['pause-before-switchover'],
    path: [...held, 'stop'],
    story: 'M(setup) ↵ P M(active) S M(pre-switchover) ↵',
    end: 'pre-switchover/finish-migrate',
  },
  {
    rows: 'O44 O45',
    path: [...setUp, 'converged', 'guest-stopped', 'final-sync', 'completed', 'settled', 'cont', go],
    story: 'M(setup) ↵ P M(active) S P M(completed) R ↵ M(setup) ↵',
    end: 'setup/running',
  },
  {
    rows: '10.1 postmigrate in 7.2',
    dialect: '7.2',
    path: [...setUp, 'converged', 'guest-stopped', 'final-sync', 'completed', 'settled', go],
    story:
      "M(setup) ↵ P M(active) S P M(completed) ↵error(Can't migrate the vm that was paused due to previous migration)",
    end: 'completed/postmigrate',
  },
  {
    rows: '10.1 device',
    dialect: '10.0',
    path: [...setUp, 'converged', 'guest-stopped', 'final-sync', 'completed'],
    story: 'M(setup) ↵ P M(active) S M(device) P M(completed)',
    end: 'completed/finish-migrate',
  },
];

describe('model: outgoing side', () => {
  walkAll(cases);

  it('hides MIGRATION and MIGRATION_PASS without capability events, and nothing else (MIG-SM-E03)', () => {
    const path = [...setUp, 'converged', 'guest-stopped', 'final-sync', 'channel-error', 'settled'];
    expect(walk('3.0', {}, ...path).story).to.equal('↵ S R');
  });

  it('gives back what blk and inc borrowed when the migration ends (MIG-CMD-MIG-20)', () => {
    const start = ['migrate {"uri":"unix:/m","blk":true,"inc":true}'];
    const during = walk('3.0', {}, ...start).state;
    expect(during.capabilities).to.deep.equal(['block']);
    expect(during.parameters['block-incremental']).to.equal(true);
    const after = walk('3.0', {}, ...start, 'connect-failed').state;
    expect(after.capabilities).to.deep.equal([]);
    expect(after.parameters['block-incremental']).to.equal(false);
  });

  it('refuses, in order, what the preconditions of migrate say (MIG-CMD-MIG-02 to -09)', () => {
    const refusal = (start: Parameters<typeof walk>[1], ...path: string[]) => walk('3.0', start, ...path).story;
    expect(refusal({}, 'migrate {"uri":"x","resume":true}')).to.match(/Cannot resume if there is no paused migration/);
    expect(refusal({ incoming: 'defer' }, go)).to.match(/Guest is waiting for an incoming migration/);
    expect(refusal({ capabilities: ['block'] }, 'migrate {"uri":"unix:/m","blk":true}')).to.match(
      /Command options are incompatible with current migration capabilities/,
    );
  });

  it('keeps states as JSON', () => {
    const { state } = walk('10.0', { capabilities: ['events', 'postcopy-ram'] }, ...toPostcopy);
    expect(JSON.parse(JSON.stringify(state))).to.deep.equal(state);
  });
});
