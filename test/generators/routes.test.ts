import { expect } from 'chai';
import { attempt } from '../../campaign/attempt.js';
import { transitionsOfModel } from '../../campaign/transitions.js';
import { route, routesOf } from '../../generators/scenario/routes.js';
import { transitionKey } from '../../oracle/tracker/transition-name.js';
import { dialects } from '../../reference/dialects/dialect.js';
import { loadSchema } from '../../reference/schema/index.js';
import { SimulatedWorld } from '../../simulation/world.js';
import { InProcessTarget } from '../../targets/in-process/target.js';

/** Transitions to which a route leads in a simulation of the baseline. */
async function reachedOn(number: number): Promise<Set<string>> {
  const dialect = dialects['3.0'];
  const facts = { product: 'qemu', version: '3.0.50', package: '', greeting: {}, dialect, schema: loadSchema('3.0') };
  const reached = new Set<string>();
  for (let seed = 1; seed <= 3; seed++) {
    const world = new SimulatedWorld(seed);
    const target = new InProcessTarget({ dialect: '3.0', world: world.target });
    const scenario = route([number, 99, 99, 99, seed], dialect);
    const run = attempt(scenario, { target, facts, strictDesc: false, world: world.stage });
    const { transitions, symptoms } = await world.scheduler.drive(run, 60_000);
    expect(symptoms, JSON.stringify(symptoms[0])).to.have.length(0);
    for (const taken of transitions.sure) reached.add(transitionKey(taken));
    world.end();
  }
  return reached;
}

describe('routes', function () {
  this.timeout(30_000);

  it('name transitions of the model', () => {
    const keys = new Set(transitionsOfModel(dialects['7.2'].migration).map(({ key }) => key));
    for (const { aims } of routesOf(dialects['7.2'])) {
      for (const aim of aims) expect(keys.has(aim), aim).to.equal(true);
    }
  });

  // Programs are not started in a simulation.
  const routes = routesOf(dialects['3.0']).map(({ aims }, number) => ({ aims, number }));
  for (const { aims, number } of routes.filter(({ aims: [aim = ''] }) => !/: accepted MIG-SM-O02/.test(aim))) {
    it(`lead to ${aims.join(' and ')}`, async () => {
      const reached = await reachedOn(number);
      for (const aim of aims) expect(reached.has(aim), aim).to.equal(true);
    });
  }
});

describe('transitions of the model', () => {
  it('that show the same to a client are one, and know how many they are', () => {
    const all = transitionsOfModel(dialects['7.2'].migration);
    const paused = all.filter(({ key }) => key === 'outgoing channel-error MIG-SM-O60 MIG-SM-O61');
    expect(paused.map(({ members }) => members)).to.deep.equal([2]);
  });

  it('in whose place a release has a known defect are out of its reach, and of no other one’s', () => {
    const reason = (defects: readonly string[]) =>
      transitionsOfModel(dialects['7.2'].migration, new Set(defects)).find(
        ({ key }) => key === 'incoming channel-error MIG-SM-I55',
      )?.reason;
    expect(reason(['MIG-DEF-07'])).to.contain('MIG-DEF-07');
    expect(reason([])).to.equal(undefined);
  });
});
