/** The migration parameters and capabilities of an instance: what a trial may change and must put back. */
import { isObject, type JsonObject, type JsonValue, sameJson } from '../protocol/json.js';
import type { Session } from '../protocol/session.js';

export interface Settings {
  readonly parameters: JsonObject;
  /** As `query-migrate-capabilities` lists them. */
  readonly capabilities: readonly JsonValue[];
}

/** `undefined` when the monitor does not answer as it should. */
export async function readSettings(session: Session): Promise<Settings | undefined> {
  const [{ value: parameters }, { value: capabilities }] = await Promise.all([
    session.command('query-migrate-parameters'),
    session.command('query-migrate-capabilities'),
  ]);
  if (!isObject(parameters) || !isObject(parameters.return)) return undefined;
  if (!isObject(capabilities) || !Array.isArray(capabilities.return)) return undefined;
  return { parameters: parameters.return, capabilities: capabilities.return };
}

export const sameSettings = (a: Settings, b: Settings): boolean =>
  sameJson(a.parameters, b.parameters) && sameJson(a.capabilities, b.capabilities);
