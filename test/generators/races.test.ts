import { expect } from 'chai';
import { raceScenario, races } from '../../generators/races/races.js';
import { dialectNames, dialects } from '../../reference/dialects/dialect.js';
import { migrationStatuses } from '../../reference/model/index.js';
import { expectHarmless } from './harmless.js';

describe('race schedules', () => {
  const all = races(dialects['7.2']);
  const find = (name: string) => {
    const race = all.find((one) => one.name === name);
    if (race === undefined) throw new Error(`there is no race ${name}`);
    return raceScenario(race);
  };

  it('are enumerated: each has a name of its own and keeps its number', () => {
    expect(new Set(all.map(({ name }) => name)).size).to.equal(all.length);
    expect(all.length).to.be.greaterThan(3000);
    expect(all[0]?.name).to.equal('plain/1:before/migrate_cancel@source');
    for (const name of dialectNames) expect(races(dialects[name])).to.equal(races(dialects[name]));
  });

  it('throw each command into each gap of a ladder', () => {
    const gaps = new Set(all.filter(({ ladder }) => ladder.name === 'recovery').map(({ name }) => name.split('/')[1]));
    expect([...gaps]).to.deep.equal([
      ...['1:before', '1:with', '1:setup', '1:active', '1:postcopy-active', '1:STOP'],
      ...['2:before', '2:with', '2:postcopy-paused'],
      ...['3:before', '3:with', '3:postcopy-recover', '3:postcopy-active'],
      ...['4:before', '4:with', '4:completed'],
    ]);
    const inOne = all.filter(({ name }) => name.startsWith('recovery/2:postcopy-paused/'));
    expect(inOne.map(({ intruder }) => intruder)).to.include.members(['migrate_cancel', 'quit', 'reconnect', 'cut']);
  });

  it('wait for the event before the gap, and send before, with or behind what drives the migration', () => {
    const steps = find('pause/1:STOP/quit@source').steps;
    const at = steps.findIndex((step) => step.do === 'pipeline' && step.commands[0]?.execute === 'quit');
    expect(steps[at - 1]).to.deep.include({ do: 'event', event: 'STOP' });
    const names = (name: string) =>
      find(name).steps.flatMap((step) =>
        step.do === 'pipeline' ? [step.commands.map(({ execute }) => execute).join(' ')] : [],
      );
    expect(names('pause/2:before/stop@source')).to.deep.equal(['migrate', 'stop migrate-continue']);
    expect(names('pause/2:with/stop@source')).to.deep.equal(['migrate', 'migrate-continue stop']);
  });

  it('wait behind the race for the status that its rung leads to, and never for what is none', () => {
    const statuses = new Set(
      all.flatMap((race) => raceScenario(race).steps.flatMap((step) => (step.do === 'status' ? step.is : []))),
    );
    expect([...statuses].filter((one) => !(migrationStatuses as readonly string[]).includes(one))).to.deep.equal([]);
    const [first] = find('postcopy/1:STOP/stop@source').steps.filter((step) => step.do === 'status');
    expect(first?.is[0]).to.equal('postcopy-active');
  });

  it('stay harmless', () => {
    for (const race of all) expectHarmless(raceScenario(race));
  });
});
