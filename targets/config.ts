/** The config file `qmpspec.config.json`: named targets. Its JSON Schema is published beside this file. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { closest } from 'fastest-levenshtein';
import { JsonError, parseJson } from '../protocol/json.js';
import type { DialectName } from '../reference/dialects/dialect.js';
import { whyUnreadable } from './file-errors.js';

export interface ConfiguredTarget {
  readonly target: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly readiness?: number;
  readonly deadline?: number;
  readonly rateLimit?: number;
  readonly dialect?: DialectName;
}

export interface Config {
  /** Where it was read, for messages. */
  readonly path?: string;
  readonly targets: Readonly<Record<string, ConfiguredTarget>>;
}

export const configFileName = 'qmpspec.config.json';

/** A config file that cannot be used: exit code 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const schema = createRequire(import.meta.url)('./config.schema.json') as object;

/** Reads `path`, or the file of the usual name in the present folder if there is one. @throws ConfigError */
export function loadConfig(path?: string): Config {
  const file = resolve(path ?? configFileName);
  if (path === undefined && !existsSync(file)) return { targets: {} };
  let value: unknown;
  try {
    value = parseJson(readFileSync(file, 'utf8'));
  } catch (error) {
    const fault = error instanceof JsonError ? `it is not JSON (${error.message})` : whyUnreadable(error);
    throw new ConfigError(`${path ?? file}: ${fault}`);
  }
  const validate = new Ajv2020({ allErrors: false }).compile(schema);
  if (!validate(value))
    throw new ConfigError(`${file}: ${explain((validate.errors as ErrorObject[])[0] as ErrorObject)}`);
  return { path: file, targets: (value as { targets?: Config['targets'] }).targets ?? {} };
}

function explain(error: ErrorObject): string {
  const where = error.instancePath === '' ? 'the file' : error.instancePath.slice(1).replaceAll('/', '.');
  if (error.keyword === 'additionalProperties') {
    const name = String((error.params as { additionalProperty: string }).additionalProperty);
    const known = Object.keys((error.parentSchema as { properties?: object } | undefined)?.properties ?? {});
    const guesses = known.length > 0 ? known : knownMembers(error.schemaPath);
    return `${where} has the unknown member '${name}'; did you mean '${closest(name, guesses)}'?`;
  }
  if (error.keyword === 'enum') {
    return `${where} must be one of ${(error.params as { allowedValues: string[] }).allowedValues.join(', ')}`;
  }
  if (error.keyword === 'type' && error.instancePath === '') return 'the file must be an object: {"targets": {…}}';
  return `${where} ${error.message}`;
}

function knownMembers(schemaPath: string): string[] {
  return schemaPath.includes('/targets/')
    ? ['target', 'args', 'env', 'readiness', 'deadline', 'rateLimit', 'dialect']
    : ['targets', '$schema'];
}

export function configuredTarget(config: Config, name: string): ConfiguredTarget | undefined {
  if (Object.hasOwn(config.targets, name)) return config.targets[name];
  return undefined;
}

/** The message for a target name that means nothing. */
export function unknownTarget(config: Config, name: string): ConfigError {
  const known = ['reference', 'qemu', ...Object.keys(config.targets)];
  return new ConfigError(
    `unknown target '${name}'; did you mean '${closest(name, known)}'? A target is reference, qemu, qemu:BINARY, command:TEMPLATE, unix:PATH, tcp:HOST:PORT or a name from ${configFileName}`,
  );
}
