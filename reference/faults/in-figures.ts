/** One figure that is wrong by little, or only now and then. */
import { type Call, inArea, type Members } from './fault.js';

const within = (part: string, change: (figures: Members, call: Call) => Members) => ({
  'query-migrate': (call: Call) => {
    const value = call.next() as Members;
    return value[part] === undefined ? value : { ...value, [part]: change(value[part] as Members, call) };
  },
});
const figure = (part: string, name: string, change: (value: number) => number) =>
  within(part, (figures) =>
    figures[name] === undefined ? figures : { ...figures, [name]: change(Number(figures[name])) },
  );
const fewer = (value: number): number => Math.max(0, value - 1);

export const faultsOfFigures = inArea('query-migrate', {
  'transferred-one-more': {
    title: 'counts one byte more than it has sent',
    rows: ['MIG-CMD-INV-01', 'MIG-CMD-QMIG-03'],
    calls: figure('ram', 'transferred', (value) => value + 1),
  },
  'downtime-bytes-one-less': {
    title: 'counts one byte less than it has sent while the guest was stopped',
    rows: ['MIG-CMD-INV-01', 'MIG-CMD-QMIG-03'],
    dialect: '7.2',
    calls: figure('ram', 'downtime-bytes', fewer),
  },
  'busy-rate-from-one': {
    title: 'counts threads that compress as busy where pages wait for one',
    rows: ['MIG-CMD-QMIG-03'],
    dialect: '7.2',
    calls: figure('compression', 'busy-rate', (value) => value + 1),
  },
  'shown-one-look-late': {
    title: 'shows of a migration, when it is first asked, what there was before it',
    rows: ['MIG-CMD-QMIG-01'],
    calls: {
      migrate: ({ ask, memory, next }) => {
        memory.set('before', ask('query-migrate'));
        return next();
      },
      'query-migrate': ({ memory, next }) => {
        const before = memory.get('before');
        memory.delete('before');
        return before ?? next();
      },
    },
  },
});
