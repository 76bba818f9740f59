/** What can be seen of a monitor from outside, one thing at a time and in order. */
import { isObject, type JsonObject, type JsonValue, stringifyJson } from '../../protocol/json.js';

export type Observation = {
  /** Number of the transcript entry that shows it. */
  readonly entry: number;
} & (
  | {
      readonly kind: 'reply';
      readonly id?: JsonValue;
      readonly value: JsonObject;
      /** It shows a state that no model knows, and so says nothing of where the target is. */
      readonly beyond?: true;
    }
  | {
      readonly kind: 'event';
      readonly event: string;
      readonly data: JsonObject;
      /** `null` when there was none. */
      readonly timestamp: JsonValue;
    }
  | { readonly kind: 'exit'; readonly code: number | null; readonly signal: string | null }
  /** Nothing came although nothing was left to wait for: a fence was answered, or a deadline passed. */
  | { readonly kind: 'quiet'; readonly by: 'fence' | 'deadline' }
);

/** The observation of a received message; `undefined` for a greeting and for what is no QMP message. */
export function observe(value: JsonValue | undefined, entry: number): Observation | undefined {
  if (!isObject(value)) return undefined;
  if ('event' in value) {
    const { data, timestamp = null } = value;
    return { kind: 'event', event: String(value.event), data: isObject(data) ? data : {}, timestamp, entry };
  }
  if ('return' in value || 'error' in value) {
    return { kind: 'reply', value, entry, ...('id' in value ? { id: value.id as JsonValue } : {}) };
  }
  return undefined;
}

export function describeObservation(observation: Observation): string {
  switch (observation.kind) {
    case 'reply': {
      const text = stringifyJson(observation.value);
      return `reply ${text.length > 240 ? `${text.slice(0, 240)}…` : text}`;
    }
    case 'event':
      return `event ${observation.event}${Object.keys(observation.data).length > 0 ? ` ${stringifyJson(observation.data)}` : ''}`;
    case 'exit':
      return observation.signal === null ? `exit with status ${observation.code}` : `death by ${observation.signal}`;
    case 'quiet':
      return observation.by === 'fence' ? 'silence (a fence was answered)' : 'silence until the deadline';
  }
}
