/** What setting one parameter gives on an idle monitor (commands.md §6, qmp-protocol.md §8 and §17.3). */
import type { Dialect } from '../../reference/dialects/dialect.js';
import type { ParameterRule } from '../../reference/dialects/migration.js';
import { declaredMember } from '../../reference/schema/declared.js';
import { wrongTypeText } from './wrong-values.js';

export type Outcome = { readonly stored: bigint } | { readonly refused: string };

const two64 = 2n ** 64n;
const modulo = (value: bigint, bits: number): bigint =>
  ((value % 2n ** BigInt(bits)) + 2n ** BigInt(bits)) % 2n ** BigInt(bits);
const isPowerOfTwo = (value: bigint): boolean => value > 0n && (value & (value - 1n)) === 0n;

/** Bytes of a page of the target machine. */
export const pageSize = 4096n;

/** Type that the dialect declares for the member of `migrate-set-parameters`. */
const inputType = (dialect: Dialect, name: string): string =>
  declaredMember(dialect, 'migrate-set-parameters', name)?.member.type.name ?? 'int';

/** What comes of setting an integer parameter of a process that has its defaults otherwise. */
export function outcomeOf(dialect: Dialect, rule: ParameterRule, value: bigint): Outcome {
  const type = inputType(dialect, rule.name);
  const read = readInteger(type, rule.name, value);
  if ('refused' in read) return read;
  const stored = modulo(read.stored, rule.bits ?? 64);
  return inRange(dialect, rule, stored) ? { stored } : { refused: rule.error ?? '' };
}

/** The argument check: what the declared type makes of the integer. */
function readInteger(type: string, name: string, value: bigint): Outcome {
  const signed = value >= -(2n ** 63n) && value < 2n ** 63n;
  if (type === 'int') return signed ? { stored: modulo(value, 64) } : { refused: wrongTypeText('integer', name) };
  if (value < -(2n ** 63n) || value >= two64) return { refused: wrongTypeText('unsigned', name) };
  const unsigned = modulo(value, 64);
  const bits = /^uint(8|16|32)$/.exec(type)?.[1];
  if (bits === undefined || unsigned < 2n ** BigInt(bits)) return { stored: unsigned };
  return { refused: `Parameter '${name}' expects uint${bits}_t` };
}

function inRange(dialect: Dialect, rule: ParameterRule, value: bigint): boolean {
  if (rule.check === 'cache-size') return isPowerOfTwo(value) && value >= pageSize;
  if (rule.check === 'max-throttle') return value >= defaultOf(dialect, 'cpu-throttle-initial') && value <= 99n;
  if (rule.check === 'power-of-two' && !isPowerOfTwo(value)) return false;
  return rule.range === undefined || (rule.range[0] <= value && value <= rule.range[1]);
}

const defaultOf = (dialect: Dialect, name: string): bigint =>
  BigInt(dialect.migration.parameters.find((rule) => rule.name === name)?.initial ?? 0);

/** Integers at and beside every border that matters to the parameter, and at those of all widths. */
export function borderValues(rule: ParameterRule): bigint[] {
  const borders = [0n, 2n ** 8n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n, two64, -(2n ** 63n), -(2n ** 32n)];
  const extra = [...(rule.range ?? []), ...(rule.check === 'max-throttle' ? [20n, 99n] : [])];
  // Those of the levels of each kind, which releases that do not use them may not look at.
  const levels = rule.ignored ? [9n, 20n] : [];
  const sizes = rule.check === 'cache-size' ? [pageSize, 5000n, 100000n, 2n ** 40n, 2n ** 62n] : [];
  // Whole turns of the narrow widths, which the baseline cuts off before it looks at the range.
  const turns = rule.bits === 8 ? [257n, 355n, 265n] : rule.bits === 32 ? [4294967301n, 4294967312n] : [];
  const around = [...borders, ...extra, ...levels, ...sizes].flatMap((value) => [value - 1n, value, value + 1n]);
  return [...new Set([...around, ...turns])].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** A value of the stored width that the range check refuses, if there is one. */
export function outOfRange(rule: ParameterRule): bigint | undefined {
  if (rule.check === 'cache-size') return 4097n;
  if (rule.check === 'max-throttle') return 100n;
  if (rule.range === undefined) return undefined;
  const [low, high] = rule.range;
  if (high < 2n ** BigInt(rule.bits ?? 64) - 1n) return high + 1n;
  return low > 0n ? low - 1n : undefined;
}

/** A legal value other than the default. */
export function otherLegal(rule: ParameterRule): bigint {
  if (rule.check === 'cache-size') return 2n ** 20n;
  if (rule.check === 'max-throttle') return 88n;
  if (rule.check === 'power-of-two') return 2n * (rule.range?.[0] ?? 1n);
  return (rule.range?.[0] ?? 0n) + 3n;
}
