/** The migration parameters and capabilities of an instance: what a trial may change and must put back. */
import { isObject, type JsonObject, type JsonValue } from '../protocol/json.js';
import type { Session } from '../protocol/session.js';

export interface Settings {
  readonly parameters: JsonObject;
  /** As `query-migrate-capabilities` lists them. */
  readonly capabilities: readonly JsonValue[];
}

/** `undefined` when the monitor does not answer as it should. */
export async function readSettings(session: Session): Promise<Settings | undefined> {
  const [parameters, capabilities] = await Promise.all([readParameters(session), readCapabilities(session)]);
  return parameters === undefined || capabilities === undefined ? undefined : { parameters, capabilities };
}

export async function readParameters(session: Session): Promise<JsonObject | undefined> {
  const { value } = await session.command('query-migrate-parameters');
  return isObject(value) && isObject(value.return) ? value.return : undefined;
}

export async function readCapabilities(session: Session): Promise<JsonValue[] | undefined> {
  const { value } = await session.command('query-migrate-capabilities');
  return isObject(value) && Array.isArray(value.return) ? value.return : undefined;
}
