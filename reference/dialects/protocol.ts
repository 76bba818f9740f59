import type { DialectName } from './dialect.js';

/** How a dialect differs on the wire below the commands (qmp-protocol.md §17). */
export interface ProtocolRules {
  /** `baseline`: §7 of qmp-protocol.md; `strict`: the JSON input rules of §17.2. */
  readonly json: 'baseline' | 'strict';
}

export const protocolRules: Readonly<Record<DialectName, ProtocolRules>> = {
  '3.0': { json: 'baseline' },
  '7.2': { json: 'strict' },
  '10.0': { json: 'strict' },
};
