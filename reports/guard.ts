/** Watches an event stream for what must not pass for a green run: a missing end, a plan that is not met, two runs in one. */
import { type RunEvent, type RunFooter, type RunHeader, runEventsVersion } from '../oracle/run-events.js';
import type { VerdictKind } from '../oracle/verdict.js';
import {
  AfterFooter,
  CutOffStream,
  EmptyStream,
  MissingHeader,
  PlanNotMet,
  SecondHeader,
  UnknownVersion,
} from './stream-error.js';

export class StreamGuard {
  private lines = 0;
  private header: RunHeader | undefined;
  private footer: RunFooter | undefined;
  private readonly ids = new Set<string>();
  private readonly counts: Partial<Record<VerdictKind, number>> = {};

  /** @throws StreamError when the event must not stand here; `line` is its number, from 1 */
  take(event: RunEvent, line = this.lines + 1): void {
    this.lines = line;
    if (this.footer !== undefined) throw new AfterFooter(line);
    if (event.event === 'header') {
      if (this.header !== undefined) throw new SecondHeader(line);
      if (event.version !== runEventsVersion) throw new UnknownVersion(event.version, runEventsVersion);
      this.header = event;
      return;
    }
    if (this.header === undefined) throw new MissingHeader(line, event.event);
    if (event.event === 'requirement') {
      if (this.ids.has(event.id)) throw new PlanNotMet(`line ${line}: ${event.id} is reported twice`);
      this.ids.add(event.id);
      this.counts[event.verdict.kind] = (this.counts[event.verdict.kind] ?? 0) + 1;
    } else if (event.event === 'footer') {
      this.footer = event;
    }
  }

  /** @throws StreamError when the stream may not end here, or its numbers do not agree */
  end(): void {
    if (this.lines === 0) throw new EmptyStream();
    if (this.header === undefined || this.footer === undefined) throw new CutOffStream(this.lines);
    const reported = this.ids.size;
    const { planned, ran, counts } = this.footer;
    if (planned !== this.header.planned) {
      throw new PlanNotMet(`the header plans ${this.header.planned} requirements, the footer ${planned}`);
    }
    if (reported !== planned) throw new PlanNotMet(`${planned} requirements were planned, ${reported} were reported`);
    if (ran !== reported) throw new PlanNotMet(`the footer counts ${ran} requirements, ${reported} were reported`);
    for (const kind of new Set([...Object.keys(counts), ...Object.keys(this.counts)]) as Set<VerdictKind>) {
      const [told, seen] = [counts[kind] ?? 0, this.counts[kind] ?? 0];
      if (told !== seen) throw new PlanNotMet(`the footer counts ${told} times '${kind}', ${seen} were reported`);
    }
  }
}
