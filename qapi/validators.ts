/** Checks of arguments, results and event data against a Schema, exact to the width of every integer. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { exactJsonSchema, exactKeywords, type JsonKind } from './json-schema.js';
import { type IntegerName, integerRanges, type Schema, type TypeRef } from './schema.js';

export { type JsonSchema, type JsonSchemaOptions, toJsonSchema } from './json-schema.js';

/** One way in which a value is not what the schema says. */
export interface Fault {
  /** As monitors write it: `capabilities[0].state`; empty for the value itself. */
  readonly path: string;
  readonly expected: string;
  /** The offending value as JSON, cut if long, or `nothing`. */
  readonly got: string;
}

export type Validator = (value: unknown) => Fault[];

export interface ValidatorOptions {
  /** Let pass members that the schema does not know: newer monitors add some to their results. */
  readonly additional?: boolean;
}

/**
 * Validators for values from a lossless JSON parser: integers beyond ±(2^53-1) are bigint, other numbers number. An
 * empty list of faults means valid. Asking for a command or event that the schema lacks throws.
 */
export interface Validators {
  arguments(command: string, options?: ValidatorOptions): Validator;
  returns(command: string, options?: ValidatorOptions): Validator;
  /** For the `data` of the event; `undefined` stands for data that is not there. */
  event(name: string, options?: ValidatorOptions): Validator;
  /** For any type of the schema. */
  type(ref: TypeRef, options?: ValidatorOptions): Validator;
}

const made = new WeakMap<Schema, Validators>();

/** Validators of a schema. Each is compiled when it is first asked for, and serves all who ask for it later. */
export function validatorsFor(schema: Schema): Validators {
  const validators = made.get(schema) ?? makeValidators(schema);
  made.set(schema, validators);
  return validators;
}

function makeValidators(schema: Schema): Validators {
  const ajv = newAjv(schema.origin);
  const compiled = new Map<string, Validator>();
  const compile = (key: string, ref: TypeRef | undefined, { additional = false }: ValidatorOptions = {}): Validator => {
    const full = `${key} ${additional}`;
    let validator = compiled.get(full);
    if (!validator) {
      validator = faultsOf(ajv.compile(exactJsonSchema(schema, ref, { additional })), schema.origin);
      compiled.set(full, validator);
    }
    return validator;
  };
  const named = (name: string | undefined): TypeRef | undefined => (name === undefined ? name : { name, list: false });
  const command = (name: string) => {
    const found = schema.commands.get(name);
    if (!found) throw new Error(`the schema has no command '${name}'`);
    return found;
  };
  return {
    arguments: (name, options) => {
      const validate = compile(`arguments ${name}`, named(command(name).arguments), options);
      return (value) => validate(value === undefined ? {} : value);
    },
    returns: (name, options) => compile(`returns ${name}`, command(name).returns, options),
    event: (name, options) => {
      const found = schema.events.get(name);
      if (!found) throw new Error(`the schema has no event '${name}'`);
      const validate = compile(`event ${name}`, named(found.data), options);
      return (value) => validate(value === undefined && found.data === undefined ? {} : value);
    },
    type: (ref, options) => compile(`type ${ref.name}${ref.list ? '[]' : ''}`, ref, options),
  };
}

function newAjv(origin: Schema['origin']): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    // A member such as `constructor` must not be found in Object.prototype.
    ownProperties: true,
    strictTypes: false,
    validateSchema: false,
    // Most are called a few times: to make less code of them, in more passes, costs more than it saves.
    inlineRefs: false,
    code: { optimize: false },
  });
  ajv.addKeyword({
    keyword: exactKeywords.integer,
    schemaType: 'string',
    errors: false,
    compile: (name: IntegerName) => {
      const [low, high] = boundsOf(name, origin);
      return (value: unknown) => isInteger(value) && low <= BigInt(value) && BigInt(value) <= high;
    },
  });
  ajv.addKeyword({
    keyword: exactKeywords.kinds,
    schemaType: 'object',
    errors: false,
    compile: ({ kinds }: KindsSchema) => {
      const wanted: ReadonlySet<JsonKind | undefined> = new Set(kinds);
      return (value: unknown) => wanted.has(kindOf(value));
    },
  });
  return ajv;
}

interface KindsSchema {
  readonly kinds: readonly JsonKind[];
  readonly expected: string;
}

const isInteger = (value: unknown): value is number | bigint => typeof value === 'bigint' || Number.isInteger(value);

const boundsOf = (name: IntegerName, origin: Schema['origin']): readonly [bigint, bigint] =>
  origin === 'introspection' ? [integerRanges.int64[0], integerRanges.uint64[1]] : integerRanges[name];

function kindOf(value: unknown): JsonKind | undefined {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'number':
    case 'bigint':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'object':
      return 'object';
    default:
      return undefined;
  }
}

function faultsOf(validate: ValidateFunction, origin: Schema['origin']): Validator {
  return (value) => {
    if (validate(value)) return [];
    const errors = validate.errors ?? [];
    const faults = new Map<string, Fault>();
    for (const error of errors) {
      if (error.keyword === 'unevaluatedProperties' && isBlurred(error, errors)) continue;
      const fault = faultOf(error, origin);
      // A value of the wrong type is told once, by its type; that it is none of an enum's values follows.
      if (fault && !faults.has(fault.path)) faults.set(fault.path, fault);
    }
    return [...faults.values()];
  };
}

/** Members of a branch count as unknown when something in the branch is at fault, which then is the fault to tell. */
const isBlurred = (unknown: ErrorObject, errors: readonly ErrorObject[]): boolean =>
  errors.some(
    ({ keyword, instancePath }) =>
      keyword !== 'unevaluatedProperties' && `${instancePath}/`.startsWith(`${unknown.instancePath}/`),
  );

/** Undefined for errors that only say that another one occurred further in. */
function faultOf(
  { keyword, instancePath, params, schema, data }: ErrorObject,
  origin: Schema['origin'],
): Fault | undefined {
  const path = pathOf(instancePath);
  const member = (name: string): string => (path === '' ? name : `${path}.${name}`);
  switch (keyword) {
    case exactKeywords.integer:
      return { path, expected: integerText(schema as IntegerName, origin), got: show(data) };
    case exactKeywords.kinds:
      return { path, expected: (schema as KindsSchema).expected, got: show(data) };
    case 'required':
      return { path: member(String(params.missingProperty)), expected: 'to be present', got: 'nothing' };
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const name = String(params.additionalProperty ?? params.unevaluatedProperty);
      return { path: member(name), expected: 'no such member', got: show((data as Record<string, unknown>)[name]) };
    }
    case 'enum':
      return {
        path,
        expected: `one of ${(schema as string[]).map((name) => JSON.stringify(name)).join(', ')}`,
        got: show(data),
      };
    case 'if':
      return undefined;
    default:
      return { path, expected: keyword, got: show(data) };
  }
}

function integerText(name: IntegerName, origin: Schema['origin']): string {
  const [low, high] = boundsOf(name, origin);
  return `${origin === 'text' ? name : 'integer'} from ${low} to ${high}`;
}

/** JSON pointer to the notation of monitors. */
function pathOf(pointer: string): string {
  let path = '';
  for (const token of pointer.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (/^\d+$/.test(name)) path += `[${name}]`;
    else path += path === '' ? name : `.${name}`;
  }
  return path;
}

const maximumShown = 100;

/** JSON text of a value for a message. */
function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text =
    JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner)) ?? String(value);
  const exact = text.replace(/"(-?\d+)n"/g, '$1');
  return exact.length > maximumShown ? `${exact.slice(0, maximumShown)}…` : exact;
}
