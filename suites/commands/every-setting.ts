/** Values for all that can be set and does not hinder a plain migration, each other than it was. */
import type { Trial } from '../../oracle/trial.js';
import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import type { Session } from '../../protocol/session.js';

// multifd-zlib-level and multifd-zstd-level are not kept by releases that have them first (5.2 and 7.2).
const values: Readonly<Record<string, JsonValue>> = {
  'announce-initial': 51,
  'announce-max': 551,
  'announce-rounds': 6,
  'announce-step': 101,
  'compress-level': 2,
  'compress-threads': 3,
  'decompress-threads': 3,
  'compress-wait-thread': false,
  'throttle-trigger-threshold': 60,
  'cpu-throttle-initial': 21,
  'cpu-throttle-increment': 11,
  'cpu-throttle-tailslow': true,
  'tls-hostname': 'host.invalid',
  'tls-authz': 'qmpspec-authz',
  'max-bandwidth': 1_073_741_825,
  'avail-switchover-bandwidth': 4097,
  'downtime-limit': 77,
  'x-checkpoint-delay': 201,
  'block-incremental': true,
  'x-multifd-channels': 3,
  'x-multifd-page-count': 17,
  'multifd-channels': 3,
  'multifd-compression': 'zlib',
  'multifd-qatzip-level': 2,
  'xbzrle-cache-size': 1_048_576,
  'max-postcopy-bandwidth': 5000,
  'max-cpu-throttle': 98,
  'x-vcpu-dirty-limit-period': 999,
  'vcpu-dirty-limit': 2,
  'zero-page-detection': 'legacy',
};

const capabilities = `xbzrle rdma-pin-all auto-converge zero-blocks events postcopy-ram release-ram return-path
  pause-before-switchover dirty-bitmaps postcopy-blocktime late-block-activate`.split(/\s+/);

/** A value for each of the parameters that are shown, as far as one is known that it lets be set beside all others. */
export const valuesFor = (shown: JsonValue): JsonObject =>
  Object.fromEntries(Object.entries(values).filter(([name]) => isObject(shown) && name in shown));

/** Those of the capabilities that are listed that hinder no other one. */
export const sociable = (listed: readonly string[]): string[] => capabilities.filter((name) => listed.includes(name));

/** Sets them all, of each kind in one call, and sees that each is kept. */
export async function setEverything(t: Trial, session: Session): Promise<void> {
  const parameters = valuesFor(t.succeeded(await session.command('query-migrate-parameters')));
  t.succeeded(await session.command('migrate-set-parameters', parameters), 'migrate-set-parameters');
  const kept = t.succeeded(await session.command('query-migrate-parameters'));
  for (const [name, value] of Object.entries(parameters))
    t.same(isObject(kept) ? kept[name] : undefined, value, `${name}, set together with all others`);
  const list = t.succeeded(await session.command('query-migrate-capabilities'));
  const listed = Array.isArray(list) ? list.filter(isObject).map(({ capability }) => String(capability)) : [];
  // Only one of the host's needs may keep it from being on.
  const wanted = sociable(listed);
  const on = (names: readonly string[]) => ({
    capabilities: names.map((capability) => ({ capability, state: true })),
  });
  t.succeeded(await session.command('migrate-set-capabilities', on(wanted)), 'migrate-set-capabilities');
  const after = t.succeeded(await session.command('query-migrate-capabilities'));
  const states = Array.isArray(after) ? after.filter(isObject).filter(({ state }) => state === true) : [];
  const names = states.map(({ capability }) => String(capability));
  t.same(names.sort(), [...wanted].sort(), 'capabilities that are on, set together');
}
