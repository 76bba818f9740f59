/** For each parameter and capability of the baseline: one that is kept wrong, one that is shown wrong. */
import { baselineCapabilities } from '../dialects/migration-capabilities.js';
import { baselineParameters, type ParameterRule } from '../dialects/migration-parameters.js';
import { type Call, type Fault, inArea, type Members } from './fault.js';
import { without } from './messages.js';

type Planned = Omit<Fault, 'area'>;
interface Setting {
  readonly capability: string;
  readonly state: boolean;
}

const other = (value: unknown): unknown => {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'string') return `${value}x`;
  return typeof value === 'bigint' ? value + 1n : Number(value) + 1;
};
const shown = (change: (value: Members, call: Call) => unknown) => ({
  'query-migrate-parameters': (call: Call) => change(call.next() as Members, call),
});

const mapping = 'block-bitmap-mapping';

/** Of the one parameter that is a list. */
const ofTheMapping: Record<string, Planned> = {
  'mapping-reversed': {
    title: 'shows a mapping of bitmaps in another order',
    rows: ['MIG-CMD-SPAR-02', 'MIG-CMD-QPAR-01'],
    dialect: '7.2',
    calls: shown((value) =>
      Array.isArray(value[mapping]) ? { ...value, [mapping]: value[mapping].toReversed() } : value,
    ),
  },
};

const ofParameter = ({ name }: ParameterRule): Record<string, Planned> => ({
  [`default-of-${name}`]: {
    title: `has a default of its own for ${name}`,
    rows: ['MIG-CMD-QPAR-02'],
    calls: {
      ...shown((value, { memory }) => (memory.has('set') ? value : { ...value, [name]: other(value[name]) })),
      'migrate-set-parameters': ({ args, memory, next }) => {
        if (args[name] !== undefined) memory.set('set', true);
        return next();
      },
    },
  },
  [`kept-not-${name}`]: {
    title: `accepts ${name} and does not keep it`,
    rows: ['MIG-CMD-SPAR-02', 'MIG-CMD-QPAR-01'],
    calls: { 'migrate-set-parameters': ({ args, next }) => next(without(args, name)) },
  },
  [`hidden-${name}`]: {
    title: `does not show ${name}`,
    rows: ['MIG-CMD-QPAR-01'],
    calls: shown((value) => without(value, name)),
  },
});

const settings = (change: (list: readonly Setting[]) => readonly Setting[]) => ({
  'migrate-set-capabilities': ({ args, next }: Call) =>
    next({ ...args, capabilities: change(args.capabilities as readonly Setting[]) }),
});
const ofCapability = (name: string): Record<string, Planned> => ({
  [`stuck-${name}`]: {
    title: `accepts capability ${name} and leaves it off`,
    rows: ['MIG-CMD-SCAP-09', 'MIG-CMD-QCAP-01'],
    calls: settings((list) => list.map((one) => (one.capability === name ? { ...one, state: false } : one))),
  },
  [`on-from-the-start-${name}`]: {
    title: `shows capability ${name} as switched on from the start`,
    rows: ['MIG-CMD-QCAP-02', 'MIG-CMD-QCAP-01'],
    calls: {
      'query-migrate-capabilities': ({ next, memory }) => {
        const list = next() as readonly Setting[];
        if (memory.has('set')) return list;
        return list.map((one) => (one.capability === name ? { ...one, state: true } : one));
      },
      'migrate-set-capabilities': ({ args, memory, next }) => {
        if ((args.capabilities as readonly Setting[]).some(({ capability }) => capability === name))
          memory.set('set', true);
        return next();
      },
    },
  },
});

export const eachParameter = inArea('settings', {
  ...Object.fromEntries(baselineParameters.flatMap((one) => Object.entries(ofParameter(one)))),
  ...ofTheMapping,
});
export const eachCapability = inArea(
  'settings',
  Object.fromEntries(baselineCapabilities.flatMap((one) => Object.entries(ofCapability(one)))),
);
