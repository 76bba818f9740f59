/** What a target says of itself, asked once: product, version, schema. Applicability is decided from this. */

import { isObject, type JsonObject } from '../protocol/json.js';
import type { Session } from '../protocol/session.js';
import { capabilitiesOf } from '../qapi/enums.js';
import { fromIntrospection } from '../qapi/introspection.js';
import type { Schema } from '../qapi/schema.js';
import {
  type BuildPart,
  buildParts,
  builtWithout,
  ofAnotherSystem,
  withoutCapabilities,
  withoutKnowingTheHost,
} from '../reference/dialects/built-without.js';
import { type Dialect, type DialectName, dialectFor, dialects } from '../reference/dialects/dialect.js';
import { fitted } from '../reference/dialects/fitted.js';
import { loadSchema } from '../reference/schema/index.js';
import { machineOf } from './machine.js';
import { archOf, pageSizeOf } from './page-size.js';
import { readSettings, type Settings } from './settings.js';
import { type Instance, type Target, TargetError } from './target.js';

export interface TargetFacts {
  /** Member of the greeting's `version` that names the product; `qemu` for QEMU and what poses as it. */
  readonly product: string;
  /** For example `7.2.22`; empty when the greeting has no version that can be read. */
  readonly version: string;
  readonly package: string;
  readonly greeting: JsonObject;
  readonly dialect: Dialect;
  /** Other readings of a release between two dialects; what conforms to one of them conforms. */
  readonly readings?: readonly Dialect[];
  /** How the dialect was chosen, in words, where it is not simply the target's own. */
  readonly dialectNote?: string;
  /** The dialect was chosen by hand, and the greeting tells of a release that has another one. */
  readonly dialectForeign?: true;
  readonly schema: Schema;
  /** Why the schema is not the target's own introspection; absent when it is. */
  readonly schemaNote?: string;
  /** It was told to leave deprecated members and commands out of what it says (`-compat deprecated-output=hide`), as its schema shows. */
  readonly hidesDeprecated?: true;
  /** Names that `query-commands` lists; absent when the target does not answer it. */
  readonly commands?: ReadonlySet<string>;
  /** Parameters and capabilities as they were found; absent when the target does not show them. */
  readonly settings?: Settings;
  /** Whether `query-status` shows single steps; absent when it does not tell. Nothing in a run changes it. */
  readonly singlestep?: boolean;
  /** The machine, for example `x86_64`, where the target answers `query-target`. */
  readonly arch?: string;
  /** Type of the machine object, for example `none-machine`, where the target has `qom-get`. */
  readonly machine?: string;
  /** What keeps it from being migrated, as `query-migrate` shows it; absent where nothing does. */
  readonly blocked?: readonly string[];
  /** Bytes of a page of its stream, where that was asked; else it is taken for the usual one. */
  readonly pageSize?: number;
}

/**
 * Whether the streams of its migrations can be held against a target: its release has a dialect, or its user says which one it
 * speaks and its greeting does not say otherwise.
 */
export const knowsStream = ({ dialectNote, dialectForeign }: TargetFacts): boolean =>
  dialectNote === undefined || (dialectNote === chosenNote && dialectForeign === undefined);

/** Asks an idle instance. @param dialect overrides the choice by version */
export async function learnFacts(instance: Instance, dialect?: DialectName): Promise<TargetFacts> {
  const session = await instance.connect();
  try {
    const greeting = (await session.greeting()).value as JsonObject;
    await session.negotiate();
    const version = readVersion(greeting);
    const chosen = chooseDialect(version, dialect);
    const listed = await session.command('query-commands');
    const names = isObject(listed.value) && Array.isArray(listed.value.return) ? listed.value.return : undefined;
    const commands = names?.map((entry) => (isObject(entry) ? String(entry.name) : ''));
    const reply = await session.command('query-qmp-schema', undefined, { deadline: session.deadline * 2 });
    const schema = readSchema(isObject(reply.value) ? reply.value.return : undefined, chosen.dialect);
    const settings = await readSettings(session);
    const singlestep = await stepsSingly(session);
    const blocked = await reasonsAgainst(session);
    const machine = commands?.includes('qom-get') ? await machineOf(session) : undefined;
    const arch = commands?.includes('query-target') ? await archOf(session) : undefined;
    const choice = settings === undefined ? chosen : forItsSystem(fitting(chosen, settings), settings, schema.schema);
    const isOurs = instance.pid !== undefined;
    const without =
      settings === undefined ? [] : await partsLacking(session, namesOf(settings.capabilities), schema.schema, isOurs);
    return {
      ...version,
      greeting,
      ...asBuilt(choice, without, isOurs, arch),
      ...schema,
      ...(commands === undefined ? {} : { commands: new Set(commands) }),
      ...(settings === undefined ? {} : { settings }),
      ...(singlestep === undefined ? {} : { singlestep }),
      ...(arch === undefined ? {} : { arch }),
      ...(machine === undefined ? {} : { machine }),
      ...(blocked.length === 0 ? {} : { blocked }),
    };
  } finally {
    session.close();
  }
}

/**
 * What the build lacks: each capability that needs a part is switched on, and off again.
 * @param isOurs else it is somebody's, nothing is switched, and what it lists has to do
 */
async function partsLacking(
  session: Session,
  listed: readonly string[],
  schema: Schema,
  isOurs: boolean,
): Promise<BuildPart[]> {
  const known = capabilitiesOf(schema);
  const lacking: BuildPart[] = [];
  for (const part of buildParts) {
    const { capability } = part;
    if (!known.includes(capability) || listed.includes(capability) !== part.listed) continue;
    if (!isOurs) {
      if (!part.listed) lacking.push(part);
      continue;
    }
    const set = (state: boolean) =>
      session.command('migrate-set-capabilities', { capabilities: [{ capability, state }] });
    const { value } = await set(true);
    const error = isObject(value) && isObject(value.error) ? value.error : undefined;
    if (error === undefined) await set(false);
    else if (typeof error.desc === 'string' && (part.ofHost || part.refusal.test(error.desc)))
      lacking.push({ ...part, desc: error.desc });
  }
  return lacking;
}

/** A host that write-protects memory for a snapshot serves the page faults of postcopy as well; of others that is not known. */
function asBuilt(choice: Choice, without: readonly BuildPart[], isOurs: boolean, arch?: string): Choice {
  const servesFaults =
    isOurs && isPlain(arch) && choice.dialect.migration.capabilities.includes(snapshot) && !lacks(without, snapshot);
  return withDialects(choice, (one) => {
    const own = without.length === 0 ? one : builtWithout(one, without);
    return servesFaults ? own : withoutKnowingTheHost(own);
  });
}

const snapshot = 'background-snapshot';
const lacks = (parts: readonly BuildPart[], name: string): boolean =>
  parts.some(({ capability }) => capability === name);

/** The other machines may have memory that postcopy cannot be had for: of odd sizes, or in pages that are not the host's. */
const isPlain = (arch: string | undefined): boolean => arch === 'x86_64' || arch === 'i386';

/** Without the capabilities of another system than its own, where it names them nowhere. */
function forItsSystem(choice: Choice, { capabilities }: Settings, schema: Schema): Choice {
  const absent = ofAnotherSystem(choice.dialect, new Set([...namesOf(capabilities), ...capabilitiesOf(schema)]));
  return absent.length === 0 ? choice : withDialects(choice, (one) => withoutCapabilities(one, absent));
}

const withDialects = (choice: Choice, own: (one: Dialect) => Dialect): Choice => ({
  ...choice,
  dialect: own(choice.dialect),
  ...(choice.readings === undefined ? {} : { readings: choice.readings.map(own) }),
});

async function stepsSingly(session: Session): Promise<boolean | undefined> {
  const { value } = await session.command('query-status');
  const shown = isObject(value) && isObject(value.return) ? value.return.singlestep : undefined;
  return typeof shown === 'boolean' ? shown : undefined;
}

/** How releases refuse whatever needs a machine before there is one. */
const notBuilt = /in 'preconfig' state|permitted only after machine initialization/;

/** @throws TargetError before there is a machine: next to nothing could be asked of it */
async function reasonsAgainst(session: Session): Promise<string[]> {
  const { value } = await session.command('query-migrate');
  if (isObject(value) && isObject(value.error) && notBuilt.test(String(value.error.desc))) {
    throw new TargetError(
      'its machine is not built yet: send x-exit-preconfig to the monitor, or start it without -preconfig',
    );
  }
  const shown = isObject(value) && isObject(value.return) ? value.return['blocked-reasons'] : undefined;
  return Array.isArray(shown) ? shown.filter((reason) => typeof reason === 'string') : [];
}

/** What a target says of itself, asked of an instance that is started for it. @throws TargetError */
export async function factsOf(target: Target, dialect?: DialectName): Promise<TargetFacts> {
  const instance = await target.start();
  try {
    return await withPageSize(target, await learnFacts(instance, dialect));
  } finally {
    await instance.dispose();
  }
}

/** The facts with the size of a page, which is another one on some machines. */
export const withPageSize = async (target: Target, facts: TargetFacts): Promise<TargetFacts> => ({
  ...facts,
  pageSize: await pageSizeOf(target, facts.arch),
});

type Version = Pick<TargetFacts, 'product' | 'version' | 'package'> & { numbers?: { major: number; minor: number } };

function readVersion(greeting: JsonObject): Version {
  const qmp = isObject(greeting.QMP) ? greeting.QMP : {};
  const version = isObject(qmp.version) ? qmp.version : {};
  const product = Object.keys(version).find((name) => isObject(version[name])) ?? 'unknown';
  const numbers = version[product];
  const packageName = typeof version.package === 'string' ? version.package : '';
  if (!isObject(numbers)) return { product, version: '', package: packageName };
  const { major, minor, micro } = numbers;
  const text = [major, minor, micro].filter((part) => part !== undefined).join('.');
  const readable = typeof major === 'number' && typeof minor === 'number';
  return { product, version: text, package: packageName, ...(readable ? { numbers: { major, minor } } : {}) };
}

type Choice = Pick<TargetFacts, 'dialect' | 'dialectNote' | 'dialectForeign' | 'readings'>;

const chosenNote = 'chosen by --dialect';

function chooseDialect(version: Version, forced: DialectName | undefined): Choice {
  if (forced !== undefined) {
    const own = version.product === 'qemu' && version.numbers !== undefined ? dialectFor(version.numbers) : undefined;
    const fits = own === undefined || (own.exact && own.dialect.name === forced);
    return { dialect: dialects[forced], dialectNote: chosenNote, ...(fits ? {} : { dialectForeign: true }) };
  }
  if (version.product !== 'qemu' || version.numbers === undefined) {
    return {
      dialect: dialects['3.0'],
      dialectNote: `${
        version.numbers === undefined && ['qemu', 'unknown'].includes(version.product)
          ? 'the greeting has no version that can be read'
          : `${version.product} has no known dialect`
      }: the baseline is used`,
    };
  }
  const { dialect, exact, readings } = dialectFor(version.numbers);
  if (exact) return { dialect };
  const { major, minor } = dialects[dialect.name].version;
  const older = version.numbers.major < major || (version.numbers.major === major && version.numbers.minor < minor);
  const which = older ? 'the oldest one there is' : 'the nearest older one';
  const mixed = readings.length > 0 ? ', with what is known to be newer in it' : '';
  return {
    dialect,
    readings,
    dialectNote: `${version.version} has no dialect of its own: ${which}, ${dialect.name}, is used${mixed}`,
  };
}

/** What stands in for a release without a dialect of its own has the names that the target itself lists. */
function fitting(choice: Choice, { capabilities, parameters }: Settings): Choice {
  if (choice.readings === undefined) return choice;
  const names = namesOf(capabilities);
  return withDialects(choice, (dialect) => fitted(dialect, names, new Set(Object.keys(parameters))));
}

const namesOf = (capabilities: Settings['capabilities']): string[] =>
  capabilities.map((entry) => (isObject(entry) ? String(entry.capability) : ''));

function readSchema(reply: unknown, dialect: Dialect): Pick<TargetFacts, 'schema' | 'schemaNote' | 'hidesDeprecated'> {
  if (!Array.isArray(reply)) {
    return {
      schema: loadSchema(dialect.name),
      schemaNote: `query-qmp-schema was not answered: the schema of dialect ${dialect.name} is used`,
    };
  }
  try {
    return { schema: fromIntrospection(reply), ...(hidesDeprecated(reply) ? { hidesDeprecated: true } : {}) };
  } catch (error) {
    return {
      schema: loadSchema(dialect.name),
      schemaNote: `query-qmp-schema could not be read (${(error as Error).message}): the schema of dialect ${dialect.name} is used`,
    };
  }
}

/** Enums tell their values twice where that is not hidden, in a member that is deprecated and in one that is not. */
function hidesDeprecated(entities: readonly unknown[]): boolean {
  const enums = entities.filter((one) => isObject(one as JsonObject) && (one as JsonObject)['meta-type'] === 'enum');
  return (
    enums.length > 0 && enums.every((one) => !('values' in (one as JsonObject)) && 'members' in (one as JsonObject))
  );
}
