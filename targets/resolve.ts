/** `--target` → Target. */
import { parseAddress } from '../protocol/address.js';
import { type DialectName, dialectNames } from '../reference/dialects/dialect.js';
import { AttachedTarget } from './attached.js';
import { type Config, ConfigError, configuredTarget, unknownTarget } from './config.js';
import { commandTarget, qemuTarget, referenceTarget, sessionDefaults } from './executable.js';
import type { Target } from './target.js';

export interface ResolvedTarget {
  readonly target: Target;
  /** Dialect that the config file asks for. */
  readonly dialect?: DialectName;
}

/**
 * `reference` (with an optional dialect, `reference:7.2`), `qemu`, `qemu:BINARY`, `command:TEMPLATE`, `unix:PATH`,
 * `tcp:HOST:PORT`, or a name from the config file.
 * @throws TargetError, ConfigError
 */
export function resolveTarget(name: string, config: Config = { targets: {} }): ResolvedTarget {
  const configured = configuredTarget(config, name);
  const text = configured?.target ?? name;
  const { dialect, ...settings } = configured ?? { target: name };
  return { target: build(name, text, settings, config), ...(dialect === undefined ? {} : { dialect }) };
}

function build(
  name: string,
  text: string,
  settings: Parameters<typeof qemuTarget>[2] & object,
  config: Config,
): Target {
  if (/^(reference|qemu)(:|$)/.test(text)) refuseOurs(name, settings.args ?? []);
  if (text === 'reference') return referenceTarget(name, [], settings);
  if (text.startsWith('reference:')) {
    const dialect = text.slice('reference:'.length);
    if (!(dialectNames as readonly string[]).includes(dialect)) {
      throw new ConfigError(`'${dialect}' is not a dialect of the reference; write one of ${dialectNames.join(', ')}`);
    }
    return referenceTarget(name, ['--dialect', dialect], settings);
  }
  if (text === 'qemu') return qemuTarget(name, undefined, settings);
  if (text === 'qemu:') throw new ConfigError("'qemu:' lacks the binary: write qemu:BINARY, or qemu for that of PATH");
  if (text.startsWith('qemu:')) return qemuTarget(name, text.slice('qemu:'.length), settings);
  if (text.startsWith('command:')) return commandTarget(name, text.slice('command:'.length), settings);
  if (text.startsWith('unix:') || text.startsWith('tcp:')) {
    const useless = (['args', 'env', 'readiness'] as const).find((member) => settings[member] !== undefined);
    if (useless !== undefined) {
      throw new ConfigError(`targets.${name}.${useless} is for targets that are started; ${text} runs already`);
    }
    try {
      return new AttachedTarget(name, parseAddress(text), sessionDefaults(settings));
    } catch (error) {
      throw new ConfigError((error as Error).message);
    }
  }
  throw unknownTarget(config, text);
}

/** What requirements ask for at a start, and what that is. */
const ours: Readonly<Record<string, string>> = {
  S: 'whether a guest is started paused',
  incoming: 'whether it waits for a migration',
  m: 'how much memory it has',
  uuid: 'which UUID it has',
  preconfig: 'whether it waits before its machine is made',
};

/** With these no run is possible, and why. */
const impossible: Readonly<Record<string, string>> = {
  daemonize: 'it must stay in the foreground, where its end is seen',
  runas: 'another user cannot write to the folder of a run',
  chroot: 'elsewhere the folder of a run is not found',
};

/** It cannot be so at every start. @throws ConfigError */
function refuseOurs(name: string, args: readonly string[]): void {
  for (const word of args) {
    const [, option = ''] = /^--?(\w+)$/.exec(word) ?? [];
    if (Object.hasOwn(impossible, option))
      throw new ConfigError(`targets.${name}.args must not have ${word}: ${impossible[option]}`);
    if (Object.hasOwn(ours, option))
      throw new ConfigError(
        `targets.${name}.args must not have ${word}: ${ours[option]} is for each requirement to say`,
      );
  }
}
