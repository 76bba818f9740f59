import type { MigrationRules, ParameterRule } from '../dialects/migration.js';
import { CommandError } from './host.js';

/** What the command line sets before the first command, as arguments of the commands that would set it. */
export interface InitialSettings {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly capabilities: readonly { readonly capability: string; readonly state: boolean }[];
}

const units: Readonly<Record<string, bigint>> = { '': 0n, k: 10n, m: 20n, g: 30n, t: 40n, p: 50n, e: 60n };
/** Sizes take a suffix where plain numbers do not. */
const sizes: ReadonlySet<string> = new Set(['max-bandwidth', 'xbzrle-cache-size', 'max-postcopy-bandwidth']);

/**
 * Reads `-global migration.NAME=VALUE`, given once for each name.
 * @throws CommandError for a property that the dialect does not have, or a value that is not one of its type; what the
 * value is checked for besides is the command's affair
 */
export function initialSettings(properties: ReadonlyMap<string, string>, rules: MigrationRules): InitialSettings {
  const parameters: Record<string, unknown> = {};
  const capabilities: { capability: string; state: boolean }[] = [];
  for (const [name, value] of properties) {
    const wrong = (why: string): CommandError =>
      new CommandError(`can't apply global migration.${name}=${value}: ${why}`);
    const capability = rules.properties.capabilities[name];
    const parameter = rules.parameters.find((rule) => rule.name === rules.properties.parameters[name]);
    if (capability !== undefined) capabilities.push({ capability, state: readFlag(name, value, wrong) });
    else if (parameter !== undefined) parameters[parameter.name] = readValue(parameter, name, value, wrong);
    else if (rules.properties.others.includes(name)) readOther(name, value, wrong);
    else throw wrong(`Property 'migration.${name}' not found`);
  }
  return { parameters, capabilities };
}

type Wrong = (why: string) => CommandError;

function readOther(name: string, value: string, wrong: Wrong): void {
  if (name !== 'x-clear-bitmap-shift') readFlag(name, value, wrong);
  else if (!/^\d+$/.test(value)) throw wrong(`Parameter '${name}' expects uint64`);
}

function readFlag(name: string, value: string, wrong: Wrong): boolean {
  if (/^(on|yes|true|y)$/.test(value)) return true;
  if (/^(off|no|false|n)$/.test(value)) return false;
  throw wrong(`Parameter '${name}' expects 'on' or 'off'`);
}

function readValue(rule: ParameterRule, name: string, value: string, wrong: Wrong): unknown {
  if (rule.kind === 'boolean') return readFlag(name, value, wrong);
  if (rule.kind !== 'integer') {
    if (rule.name !== 'multifd-compression' || /^(none|zlib|zstd)$/.test(value)) return value;
    throw wrong(`Parameter '${name}' does not accept value '${value}'`);
  }
  const size = sizes.has(rule.name);
  const [, digits, unit = ''] =
    (size ? /^(\d+|0[xX][\da-fA-F]+)([bkmgtpe]?)$/i : /^(\d+|0[xX][\da-fA-F]+)$/).exec(value) ?? [];
  const number = digits === undefined ? undefined : BigInt(digits) << (units[unit.toLowerCase()] ?? 0n);
  if (number === undefined || number >= 2n ** 64n) {
    throw wrong(`Parameter '${name}' expects ${size ? 'a non-negative number below 2^64' : 'uint64'}`);
  }
  const bits = rule.bits ?? 64;
  if (number >= 2n ** BigInt(bits)) throw wrong(`Parameter '${name}' expects uint${bits}_t`);
  return number;
}
