import { expect } from 'chai';
import { type DialectName, dialectNames, dialects } from '../../../reference/dialects/dialect.js';
import {
  allCalls,
  command,
  explore,
  internal,
  type ModelState,
  parameterCommands,
  structuralParameters,
} from '../../../reference/model/index.js';

/** The state, with parameters that fail when one of them is looked at that decides nothing, or written. */
function guarded(state: ModelState): ModelState {
  const allowed = (name: string | symbol) => typeof name === 'symbol' || structuralParameters.has(name);
  const parameters = new Proxy(state.parameters, {
    get(target, name) {
      if (!allowed(name)) throw new Error(`parameter ${String(name)} is read`);
      return Reflect.get(target, name);
    },
    has(target, name) {
      if (!allowed(name)) throw new Error(`parameter ${String(name)} is looked for`);
      return Reflect.has(target, name);
    },
    // Of a copy the others are left out.
    ownKeys: (target) => Reflect.ownKeys(target).filter(allowed),
  });
  return { ...state, parameters };
}

const structural = ({ parameters }: ModelState) =>
  Object.fromEntries(Object.entries(parameters).filter(([name]) => structuralParameters.has(name)));

describe('parameters that decide nothing', () => {
  for (const name of dialectNames as readonly DialectName[]) {
    it(`are neither read nor written but by the commands that set and show them, in ${name}`, () => {
      const { migration: rules } = dialects[name];
      const states = new Map<string, ModelState>();
      for (const capabilities of [['events', 'postcopy-ram', 'return-path'], ['x-colo']]) {
        explore(rules, capabilities, {
          courseOnly: true,
          onTransition: (from) => states.set(JSON.stringify([from.out, from.in, from.vm.runState, capabilities]), from),
        });
      }
      const stride = Math.ceil(states.size / 40);
      const some = [...states.values()].filter((_, i) => i % stride === 0);
      expect(some.length).to.be.greaterThan(20);
      const calls = allCalls.filter((call) => !parameterCommands.has(call.name));
      const untouched = (next: ModelState, by: string) =>
        expect(structural(next), by).to.deep.equal({ ...next.parameters });
      for (const state of some) {
        for (const { next, label } of internal(guarded(state), rules)) untouched(next, label);
        for (const call of calls) {
          for (const { next } of command(guarded(state), call, rules)) untouched(next, call.name);
        }
      }
    });
  }
});
