/** One process as the judge knows it: its connections, its tracker, and what its client told it to do. */

import { type JsonValue, sameJson } from '../protocol/json.js';
import type { Entry } from '../protocol/transcript.js';
import { Echo } from './echo.js';
import { Figures } from './figures.js';
import { Silence } from './silence.js';
import { type Channels, Roles } from './surroundings.js';
import type { Input, Sent } from './tracker/sent.js';
import type { Tracker } from './tracker/tracker.js';

export interface Connection {
  readonly input: Input;
  /** Sent and not yet answered, oldest first, with the tracker's number where it runs outside the first one's order. */
  readonly unanswered: { readonly sent: Sent; readonly number?: number | undefined }[];
  /** Its negotiation was answered. */
  commandMode: boolean;
  /** The first one in command mode: its replies and events are judged in their order. */
  primary: boolean;
  /** Number of its last command that runs outside the first one's order. */
  last: number | undefined;
}

export class JudgedProcess {
  tracker: Tracker | undefined;
  readonly connections = new Map<string, Connection>();
  figures = new Figures(false);
  roles = new Roles();
  echo = new Echo();
  silence = new Silence(false);
  /** Its migrations went over what is no socket: there a peer that does not read holds up even a cancel (MIG-SM-C12). */
  private throughPipes = false;
  /** What it wrote to standard error, the last of it. */
  lastWords = '';
  ended = false;
  /** The primary connection was lost: the next one begins blind. */
  gap = false;
  /** It was started in an earlier transcript. */
  carried = false;

  get hypotheses(): number {
    return this.tracker?.hypotheses.length ?? 0;
  }

  /** It has been started. @param fresh nobody has made use of it yet */
  begin(tracker: Tracker, fresh: boolean): void {
    this.tracker = tracker;
    this.figures = new Figures(fresh);
    this.silence = new Silence(true);
  }

  /** It has just answered: what it would do by itself should have been seen by now. */
  isOverdue(time: number): boolean {
    if (!this.silence.answered(time) || this.throughPipes || this.gap) return false;
    return ![...this.connections.values()].some(({ unanswered }) => unanswered.length > 0);
  }

  /** Its transcript ends here; what follows begins with a new connection. */
  carry(): void {
    this.tracker?.blind();
    this.tracker?.beginHistory();
    this.figures.carry();
    this.connections.clear();
    this.roles = new Roles();
    this.echo = new Echo();
    this.gap = true;
    this.carried = true;
  }

  connect(at: string, input: Input): void {
    // A transcript that does not tell of its end: what was under way on it is lost.
    if (this.connections.has(at)) this.close(at);
    this.connections.set(at, { input, unanswered: [], commandMode: false, primary: false, last: undefined });
  }

  close(at: string): void {
    const primary = this.connections.get(at)?.primary ?? false;
    if (primary) {
      this.gap = true;
      this.figures.unheard();
    }
    this.echo.end(at, primary);
    this.connections.delete(at);
  }

  get primary(): Connection | undefined {
    return [...this.connections.values()].find(({ primary }) => primary);
  }

  /** Takes note of what a message means for the surroundings. @param known addresses that were migrated to before */
  noteRole(sent: Sent, channels: Channels, known: Set<string>): void {
    if (breaksChannels(sent)) this.roles.tamper();
    if (sent.kind !== 'modelled') return;
    if (sent.name === 'migrate' && !/^(unix|tcp):/.test(String(sent.args.uri))) this.throughPipes = true;
    if (typeof sent.args.uri !== 'string') return;
    const { uri } = sent.args;
    if (sent.name === 'migrate-incoming' || sent.name === 'migrate-recover') this.roles.listens.add(uri);
    if (sent.name !== 'migrate') return;
    const quiet = sent.args.resume !== true && (this.tracker?.idle ?? false);
    this.roles.migrate({ uri, channel: channels.at(uri), first: !known.has(uri) }, quiet);
    known.add(uri);
  }

  /** A command with this id was thrown away, as a connection is told. Every one is told: the id may be that of another's. */
  drop(connection: Connection, id: JsonValue | undefined): void {
    if (id === undefined) return;
    const [one, ...others] = [...this.connections.values()].filter(({ unanswered }) => unanswered.some(withId(id)));
    if (one !== connection || others.length > 0) return;
    this.noteReply(takeAnswered(connection, id)?.sent, false);
    if (connection.primary) this.tracker?.drop(id);
  }

  /** Takes note of the reply to a message. */
  noteReply(sent: Sent | undefined, success: boolean): void {
    if (sent?.kind !== 'modelled' || sent.name !== 'migrate') return;
    if (typeof sent.args.uri === 'string') this.roles.answered(sent.args.uri, success);
  }
}

/** Whether a message has this id, or none as that which is looked for. */
const withId =
  (id: JsonValue | undefined) =>
  ({ sent }: { readonly sent: Sent }): boolean =>
    sent.id === undefined || id === undefined ? sent.id === id : sameJson(sent.id, id);

/** The oldest message that a reply with this id can answer. */
export function takeAnswered(
  connection: Connection,
  id: JsonValue | undefined,
): Connection['unanswered'][number] | undefined {
  const at = connection.unanswered.findIndex(withId(id));
  return at < 0 ? undefined : connection.unanswered.splice(at, 1)[0];
}

/** Name of the process of an endpoint: `source#2` is a connection of `source`. */
export function processOf({ at }: Entry): string {
  const end = at.indexOf('#');
  return end < 0 ? at : at.slice(0, end);
}

/** Commands that leave the channel of a migration alone; of all others that is not known. */
const harmless: ReadonlySet<string> = new Set([
  'migrate',
  'migrate-incoming',
  'migrate-set-capabilities',
  'migrate-set-parameters',
  'migrate-continue',
  'migrate-start-postcopy',
  'stop',
  'cont',
]);
const breaksChannels = (sent: Sent): boolean =>
  (sent.kind === 'modelled' || sent.kind === 'generic' || sent.kind === 'neutral') &&
  !harmless.has(sent.name) &&
  !sent.name.startsWith('query-');
