/** The shapes of QMP messages, and what kind of message a received value is (qmp-protocol.md §2, §5, §9). */
import { isObject, type JsonObject, type JsonValue, sameJson } from './json.js';

export interface Greeting {
  readonly QMP: {
    readonly version: JsonObject;
    readonly capabilities: readonly JsonValue[];
  };
}

export interface Success {
  readonly return: JsonValue;
  readonly id?: JsonValue;
}

export interface Failure {
  readonly error: { readonly class: string; readonly desc: string };
  readonly id?: JsonValue;
}

export interface Event {
  readonly event: string;
  readonly data?: JsonObject;
  readonly timestamp: { readonly seconds: number; readonly microseconds: number };
}

export type MessageKind = 'greeting' | 'success' | 'failure' | 'event' | 'unknown';

/** Classifies by the member that names the kind, without judging the rest of the message. */
export function kindOf(value: JsonValue | undefined): MessageKind {
  if (!isObject(value)) return 'unknown';
  if ('QMP' in value) return 'greeting';
  if ('return' in value) return 'success';
  if ('error' in value) return 'failure';
  if ('event' in value) return 'event';
  return 'unknown';
}

/** One message as it came from a monitor. */
export interface Received {
  /** Position among the messages of this connection, from 0. */
  readonly index: number;
  /** Number of its entry in the session's transcript. */
  readonly entry: number;
  /** Milliseconds since the transcript began. */
  readonly time: number;
  readonly kind: MessageKind;
  /** `undefined` when the text is not JSON. */
  readonly value: JsonValue | undefined;
  readonly text: string;
  /** White space that preceded it on the wire. */
  readonly before: string;
  /**
   * An answer to an earlier connection of the same client, which monitors with an I/O thread may deliver after the
   * greeting (QMP-CONN-08), or the repeated greeting of a monitor that was still starting (QMP-GREET-09).
   */
  readonly stale: boolean;
}

export const isReply = ({ kind }: Pick<Received, 'kind'>): boolean => kind === 'success' || kind === 'failure';

/** True when the reply carries exactly this id. */
export function answers(message: Received, id: JsonValue): boolean {
  return isReply(message) && isObject(message.value) && 'id' in message.value && sameJson(message.value.id ?? null, id);
}

/** Name of an event message; `undefined` for anything else. */
export function eventName(message: Received): string | undefined {
  if (message.kind !== 'event' || !isObject(message.value)) return undefined;
  return typeof message.value.event === 'string' ? message.value.event : undefined;
}
