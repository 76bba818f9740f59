/** Listeners in memory, by address. */
import { type Carrier, PipeEnd } from '../targets/in-process/pipe.js';

interface Listening {
  readonly accept: (end: PipeEnd) => void;
  /** See {@link PipeEnd.pair}. */
  readonly halfOpen: boolean;
}

/** A listener whose queue is full: those who connect wait in here. */
interface Full {
  readonly waiting: (() => void)[];
}

/** What a connection attempt comes to. */
export type Attempt = PipeEnd | 'nobody';

export class Switchboard {
  private readonly places = new Map<string, Listening | Full>();

  /** @param onConnected called for each connection that is made */
  constructor(
    private readonly carrier: Carrier,
    private readonly onConnected: () => void = () => undefined,
  ) {}

  /** Takes the place of whoever listened there before, as a monitor does that finds a socket in its way. */
  listen(address: string, accept: (end: PipeEnd) => void, halfOpen: boolean): { close(): void } {
    const listening = { accept, halfOpen };
    this.places.set(address, listening);
    return { close: () => this.leave(address, listening) };
  }

  /** A listener that accepts nothing. `open` lets everybody in at the address `inner`. */
  full(address: string, inner: string): { open(): void; close(): void } {
    const full: Full = { waiting: [] };
    this.places.set(address, full);
    const goOn = () => {
      for (const attempt of full.waiting.splice(0)) attempt();
    };
    return {
      open: () => {
        const behind = this.places.get(inner);
        if (this.places.get(address) !== full) return;
        if (behind === undefined) this.places.delete(address);
        else this.places.set(address, behind);
        goOn();
      },
      close: () => {
        this.leave(address, full);
        goOn();
      },
    };
  }

  private leave(address: string, place: Listening | Full): void {
    if (this.places.get(address) === place) this.places.delete(address);
  }

  /** Connects; `settle` is called once, unless the result has been called before, which gives up. */
  connect(address: string, settle: (result: Attempt) => void): () => void {
    let givenUp = false;
    const lane = this.carrier();
    const attempt = () => {
      if (givenUp) return;
      const place = this.places.get(address);
      if (place === undefined) settle('nobody');
      else if ('waiting' in place) place.waiting.push(() => lane(attempt));
      else {
        const [mine, theirs] = PipeEnd.pair(this.carrier, place.halfOpen);
        theirs.pause();
        this.onConnected();
        settle(mine);
        // The kernel connects; the listener sees it later.
        lane(() => {
          const there = this.places.get(address) === place;
          if (there) place.accept(theirs);
          else theirs.destroy();
        });
      }
    };
    lane(attempt);
    return () => {
      givenUp = true;
    };
  }
}
