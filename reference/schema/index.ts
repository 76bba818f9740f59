/** The definitions that the reference monitor offers, for each dialect. */
import { readFileSync } from 'node:fs';
import { buildSchema } from '../../qapi/check.js';
import { type Expression, readExpressions } from '../../qapi/expressions.js';
import type { Schema } from '../../qapi/schema.js';
import type { DialectName } from '../dialects/dialect.js';

/** What a dialect adds to, replaces in and removes from the one before it. */
interface Layer {
  /** Dialect that it builds on. */
  readonly over?: DialectName;
  readonly files: readonly string[];
  readonly removed: readonly string[];
}

const layers: Readonly<Record<DialectName, Layer>> = {
  '3.0': { files: ['control.qapi', 'migration.qapi'], removed: [] },
  '7.2': {
    over: '3.0',
    files: ['qemu-7.2.qapi'],
    removed: [
      'migrate_set_speed',
      'migrate_set_downtime',
      'migrate-set-cache-size',
      'query-migrate-cache-size',
      'query-events',
      'EventInfo',
      'COMMAND_DROPPED',
      'CommandDropReason',
    ],
  },
  '10.0': { over: '7.2', files: ['qemu-10.0.qapi'], removed: ['CompressionStats'] },
};

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

const expressionCache = new Map<DialectName, readonly Expression[]>();
const schemaCache = new Map<DialectName, Schema>();

/**
 * Definitions of a dialect. Read and parsed once, when first asked for; whether they make sense is left to the tests,
 * because the monitor's start waits for this.
 */
export function loadSchema(dialect: DialectName): Schema {
  const known = schemaCache.get(dialect);
  if (known) return known;
  const schema = buildSchema(dialectExpressions(dialect), { trusted: true });
  schemaCache.set(dialect, schema);
  return schema;
}

/** The definitions of a dialect as written, all layers applied. */
export function dialectExpressions(dialect: DialectName): readonly Expression[] {
  const known = expressionCache.get(dialect);
  if (known) return known;
  const layer = layers[dialect];
  const added = layer.files.flatMap((file) => readExpressions(read(file), { file, include: read }));
  const all = layer.over === undefined ? added : overlay(dialectExpressions(layer.over), added, layer.removed);
  expressionCache.set(dialect, all);
  return all;
}

/** `under` without what is removed, a replaced definition in the place of the old one, new ones at the end. */
function overlay(under: readonly Expression[], added: readonly Expression[], removed: readonly string[]): Expression[] {
  const result = new Map(under.map((expression) => [expression.name, expression]));
  for (const name of removed)
    if (!result.delete(name)) throw new Error(`'${name}' is to be removed from the definitions, but is not there`);
  for (const expression of added) result.set(expression.name, expression);
  return [...result.values()];
}

/** The 22 commands and 2 events of the baseline's migration schema: what the suites are about. */
export function migrationEntities(): ReadonlySet<string> {
  const baseline = loadSchema('3.0');
  const all = [...baseline.commands.values(), ...baseline.events.values()];
  return new Set(all.filter(({ location }) => location?.file === 'migration.qapi').map(({ name }) => name));
}
