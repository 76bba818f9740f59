/** Commands that say what this monitor is and offers (QMP-BASE-01..05). */
import { toIntrospection } from '../../../qapi/to-introspection.js';
import type { Dialect } from '../../dialects/dialect.js';
import type { CommandTable } from '../../migration/host.js';
import type { CommandRegistry } from '../registry.js';

export interface Identity {
  readonly dialect: Dialect;
  readonly version: object;
  /** `-name`. */
  readonly guestName: string | undefined;
  /** Asked at the time of the call, for the tables are part of it. */
  readonly registry: () => CommandRegistry;
}

export function identityCommands({ dialect, version, guestName, registry }: Identity): CommandTable {
  let schema: object[] | undefined;
  return new Map<string, () => unknown>([
    ['query-version', () => version],
    ['query-name', () => (guestName === undefined ? {} : { name: guestName })],
    ['query-commands', () => registry().names.map((name) => ({ name }))],
    ['query-events', () => dialect.protocol.eventNames.map((name) => ({ name }))],
    [
      'query-qmp-schema',
      () => {
        schema ??= toIntrospection(registry().schema, { features: dialect.protocol.schemaFeatures });
        return schema;
      },
    ],
    // Answered by the session, which the negotiation belongs to; here so that it is listed.
    ['qmp_capabilities', () => undefined],
  ]);
}
