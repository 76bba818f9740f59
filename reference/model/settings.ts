/** Capabilities and parameters: commands.md §3 to §7. */
import { mappingFault } from '../dialects/bitmap-mapping.js';
import type { ParameterRule } from '../dialects/migration.js';
import type { Call, CommandRule } from './command.js';
import type { Alternative } from './row.js';
import { isRunning, type ParameterValue } from './state.js';

/**
 * Parameters on which more depends than the commands that set and show them. Steps by themselves read and write no other ones,
 * and neither do other commands than {@link parameterCommands}: so states that differ only in those others go the same ways.
 */
export const structuralParameters: ReadonlySet<string> = new Set([
  'tls-creds',
  'multifd-compression',
  'block-incremental',
]);

/** The commands that set and show any parameter. */
export const parameterCommands: ReadonlySet<string> = new Set([
  'migrate-set-parameters',
  'query-migrate-parameters',
  'migrate_set_speed',
  'migrate_set_downtime',
  'migrate-set-cache-size',
  'query-migrate-cache-size',
]);

export const queryCapabilities: CommandRule = (call) => {
  const { capabilities, unlisted } = call.rules;
  const shown = unlisted === undefined ? capabilities : capabilities.filter((name) => !unlisted.includes(name));
  return call.answer('MIG-CMD-QCAP-01', {
    exact: shown.map((capability) => ({ capability, state: call.state.capabilities.includes(capability) })),
  });
};

/** MIG-CMD-SCAP-02 … -10. */
export const setCapabilities: CommandRule = (call) => {
  const { state, args, rules } = call;
  const { status } = state.out;
  if (isRunning(status) || rules.capabilitiesAlsoRefusedIn.includes(status)) {
    return call.refuse('MIG-CMD-SCAP-02 MIG-SM-O24', "There's a migration process in progress");
  }
  const on = new Set(state.capabilities);
  for (const entry of args.capabilities as { capability: string; state: boolean }[]) {
    if (entry.state) on.add(entry.capability);
    else on.delete(entry.capability);
  }
  const perhaps: Alternative[] = [];
  for (const conflict of rules.conflicts) {
    if (!conflict.on.every((name) => on.has(name))) continue;
    if (conflict.off?.every((name) => on.has(name))) continue;
    if (conflict.onlyWith !== undefined && !compressesOrEncrypts(state.parameters)) continue;
    const newly = !state.capabilities.includes(conflict.on[0]!);
    const isDoubtful = conflict.onlyIncoming === 'host-without-userfault';
    if (isDoubtful && (rules.userfault === undefined || !newly || state.vm.runState !== 'inmigrate')) continue;
    if (conflict.onlyIncoming === 'incoming-started') {
      if (!newly || !state.in.started) continue;
    }
    const refused = call.refuse('MIG-CMD-SCAP-06 MIG-CMD-SCAP-08', conflict.desc);
    if (conflict.perhaps !== true && !isDoubtful) return [...perhaps, ...refused];
    if (perhaps.length === 0) perhaps.push(...refused);
  }
  const capabilities = rules.capabilities.filter((name) => on.has(name));
  return [
    ...perhaps,
    call.may('MIG-CMD-SCAP-09 MIG-CMD-SCAP-03 MIG-SM-I22', 'answered', (c) => {
      c.state = { ...c.state, capabilities };
      return c.reply();
    }),
  ];
};

/** A stored value as it is shown: integers as numbers where those are exact, else as bigint. */
function shownParameter(rule: ParameterRule, value: ParameterValue): unknown {
  if (rule.kind !== 'integer') return value;
  const wide = BigInt(value as string);
  return wide <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(wide) : wide;
}

export const queryParameters: CommandRule = (call) => {
  const exact: Record<string, unknown> = {};
  for (const rule of call.rules.parameters) {
    const value = call.state.parameters[rule.name];
    if (value !== undefined) exact[rule.name] = shownParameter(rule, value);
  }
  return call.answer('MIG-CMD-QPAR-01 MIG-CMD-QPAR-02', { exact });
};

/** MIG-CMD-SPAR-01 … -07. */
export const setParameters: CommandRule = (call) => overlay(call, call.args, 'MIG-CMD-SPAR-02 MIG-SM-O23');

const pageSize = 4096n;
const isPowerOfTwo = (value: bigint): boolean => value > 0n && (value & (value - 1n)) === 0n;

/** Whether multifd compression or TLS is asked for. */
function compressesOrEncrypts(parameters: Readonly<Record<string, ParameterValue>>): boolean {
  const { 'multifd-compression': compression = 'none', 'tls-creds': credentials = '' } = parameters;
  return compression !== 'none' || credentials !== '';
}

/** Trial set, checks in table order on the whole of it, then all or nothing. */
function overlay(call: Call, given: Readonly<Record<string, unknown>>, ids: string): Alternative[] {
  const { state, rules } = call;
  const trial: Record<string, ParameterValue> = { ...state.parameters };
  for (const rule of rules.parameters) {
    const value = given[rule.name];
    if (value !== undefined && rule.ignored !== true) trial[rule.name] = stored(rule, value, rules.parametersWrap);
  }
  const number = (name: string): bigint => BigInt((trial[name] as string | undefined) ?? '0');
  for (const rule of rules.parameters) {
    if (rule.check === 'bitmap-mapping') {
      const fault = given[rule.name] === undefined ? undefined : mappingFault(given[rule.name]);
      if (fault !== undefined) return call.refuse('MIG-CMD-SPAR-03', fault);
    }
    const value = rule.kind === 'integer' ? number(rule.name) : 0n;
    const bad =
      (rule.range !== undefined && (value < rule.range[0] || value > rule.range[1])) ||
      (rule.check === 'cache-size' && (value < pageSize || !isPowerOfTwo(value))) ||
      (rule.check === 'power-of-two' && !isPowerOfTwo(value)) ||
      (rule.check === 'max-throttle' && (value < number('cpu-throttle-initial') || value > 99n));
    if (bad && rule.error !== undefined) return call.refuse('MIG-CMD-SPAR-03 MIG-CMD-SPAR-04', rule.error);
    for (const { capability, of, error } of rule.wholeChecks ?? []) {
      if (!state.capabilities.includes(capability)) continue;
      if (compressesOrEncrypts(of === 'result' ? trial : state.parameters))
        return call.refuse('MIG-CMD-SPAR-03', error);
    }
  }
  return [
    call.may(ids, 'answered', (c) => {
      c.state = { ...c.state, parameters: trial };
      return c.reply();
    }),
  ];
}

/** MIG-CMD-SPAR-05 and -06. Negative integers mean what they mean unsigned, at the stored width. */
function stored(rule: ParameterRule, value: unknown, wrap: boolean): ParameterValue {
  switch (rule.kind) {
    case 'integer':
      return BigInt.asUintN(wrap ? (rule.bits ?? 64) : 64, BigInt(value as bigint | number)).toString();
    case 'text':
      return typeof value === 'string' ? value : '';
    default:
      return value as ParameterValue;
  }
}

/** MIG-CMD-LEG-01. */
export const setSpeed: CommandRule = (call) => overlay(call, { 'max-bandwidth': call.args.value }, 'MIG-CMD-LEG-01');

/** MIG-CMD-LEG-02: seconds, cut to whole milliseconds. */
export const setDowntime: CommandRule = (call) => {
  const seconds = Number(call.args.value);
  if (!(seconds >= 0 && seconds <= 2000)) {
    const desc = "Parameter 'downtime_limit' expects an integer in the range of 0 to 2000 seconds";
    return call.refuse('MIG-CMD-LEG-02', desc);
  }
  return overlay(call, { 'downtime-limit': BigInt(Math.trunc(seconds * 1000)) }, 'MIG-CMD-LEG-02');
};

/** MIG-CMD-LEG-03. */
export const setCacheSize: CommandRule = (call) =>
  overlay(call, { 'xbzrle-cache-size': call.args.value }, 'MIG-CMD-LEG-03');

/** MIG-CMD-LEG-04: a signed integer. */
export const queryCacheSize: CommandRule = (call) => {
  const signed = BigInt.asIntN(64, BigInt(call.state.parameters['xbzrle-cache-size'] as string));
  const exact = signed >= -(2n ** 53n) && signed <= 2n ** 53n ? Number(signed) : signed;
  return call.answer('MIG-CMD-LEG-04', { exact });
};
