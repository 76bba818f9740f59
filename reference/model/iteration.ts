/** Outgoing side, precopy iteration (state-machine.md §3.2). Rows O22 to O24 are commands: see run-state.ts and start.ts. */
import { all, at, type Guard, row } from './row.js';

const returnPath: Guard = ({ out }) => out.returnPath !== 'none';

export const iterationSteps = [
  row('MIG-SM-O20', 'dirty-sync', at('active', 'iterating'), (c) => c.pass()),
  row('MIG-SM-O21', 'channel-error', at('active', 'iterating'), (c) => c.end('failed')),
  row('MIG-SM-O38', 'return-path-error', all(at('active', 'iterating'), returnPath), (c) =>
    c.out({ returnPath: 'bad' }).end('failed'),
  ),
];
