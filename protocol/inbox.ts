/** What a connection has received: every message in order, what kind it is, and whether it was meant for somebody else. */
import type { OwnIds } from './connection-numbers.js';
import type { Frame } from './framing.js';
import { isObject, type JsonObject, type JsonValue, sameJson } from './json.js';
import { eventName, type Received } from './message.js';
import { readMessage } from './read-message.js';
import type { Transcript } from './transcript.js';

/** How a message came. */
export interface Arrival {
  /** Where it is recorded, and under which name. */
  readonly transcript: Transcript;
  readonly endpoint: string;
  /** Milliseconds in the transcript; now when absent. */
  readonly time?: number;
  /** Whether it was meant for somebody else; found out when absent. */
  readonly stale?: boolean;
}

export interface EventSearch {
  readonly since?: number;
  readonly test?: (data: JsonObject) => boolean;
}

export class Inbox {
  readonly log: Received[] = [];
  /** When set: an event that it refuses may come at any time, so that {@link since} leaves it out. */
  knownEvent: ((name: string, event: JsonObject) => boolean) | undefined;
  private firstReplySeen = false;

  /** @param starting the process of the monitor has only just been started */
  constructor(
    private readonly ids: OwnIds,
    private readonly starting: boolean,
  ) {}

  take(frame: Frame, { transcript, endpoint, time = transcript.now(), stale }: Arrival): void {
    const text = frame.bytes.toString('latin1');
    const read = readMessage(text);
    const { value, kind } = read;
    const foreign = stale ?? this.isStale(kind, value);
    if (!foreign && (kind === 'success' || kind === 'failure')) this.firstReplySeen = true;
    const usual = this.log.length === 0 ? '' : '\r\n';
    const before = frame.before === usual ? undefined : frame.before;
    const { n: entry } = transcript.add(endpoint, 'received', text, { time, stale: foreign, before, read });
    this.log.push({ index: this.log.length, entry, time, kind, value, text, before: frame.before, stale: foreign });
  }

  private isStale(kind: string, value: JsonValue | undefined): boolean {
    // Some monitors forget for a moment, while they start, that nobody has negotiated.
    if (kind === 'event' && this.starting && this.log.every((message) => message.stale)) return true;
    if (kind === 'greeting') {
      const first = this.log.find((message) => !message.stale)?.value;
      return !this.firstReplySeen && first !== undefined && value !== undefined && sameJson(first, value);
    }
    if (kind === 'event' || !isObject(value) || typeof value.id !== 'string') return false;
    return !this.ids.has(value.id) && this.ids.isOfFormer(value.id);
  }

  /** Messages since a mark, without stale ones and events that nobody here knows. */
  since(mark: number): Received[] {
    return this.log.slice(mark).filter((message) => !message.stale && !this.isForeign(message));
  }

  /** The first event of this name after the mark (default: ever) that satisfies `test`. */
  event(name: string, { since = 0, test = () => true }: EventSearch): Received | undefined {
    return this.since(since).find((message) => {
      if (eventName(message) !== name) return false;
      const { data } = message.value as JsonObject;
      return test(isObject(data) ? data : {});
    });
  }

  /** Looks for the first message from a mark on, of those meant for us, that satisfies `test`: at each call at what is new. */
  seek(mark: number, test: (message: Received) => boolean): () => Received | undefined {
    let next = mark;
    return () => {
      while (next < this.log.length) {
        const message = this.log[next++] as Received;
        if (!message.stale && test(message)) return message;
      }
      return undefined;
    };
  }

  private isForeign(message: Received): boolean {
    if (this.knownEvent === undefined) return false;
    const name = eventName(message);
    return name !== undefined && !this.knownEvent(name, message.value as JsonObject);
  }
}
