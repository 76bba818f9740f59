import type { ModelState } from '../model/index.js';

/** The parameters that the engines use, read from the model's state at the moment of use. */
export class Settings {
  constructor(private readonly state: () => ModelState) {}

  /** Bytes per second. */
  get maxBandwidth(): bigint {
    return this.integer('max-bandwidth');
  }

  /** Bytes per second; 0 is unlimited. */
  get maxPostcopyBandwidth(): bigint {
    return this.integer('max-postcopy-bandwidth');
  }

  /** Milliseconds. */
  get downtimeLimit(): number {
    return Number(this.integer('downtime-limit'));
  }

  /** Milliseconds between two checkpoints of COLO. */
  get checkpointDelay(): number {
    return Number(this.integer('x-checkpoint-delay'));
  }

  get xbzrleCacheSize(): bigint {
    return this.integer('xbzrle-cache-size');
  }

  get compressLevel(): number {
    return Number(this.integer('compress-level'));
  }

  get tlsCreds(): string {
    return this.text('tls-creds');
  }

  get throttle(): { initial: number; increment: number; maximum: number; share: number } {
    const threshold = this.state().parameters['throttle-trigger-threshold'];
    return {
      initial: Number(this.integer('cpu-throttle-initial')),
      increment: Number(this.integer('cpu-throttle-increment')),
      maximum: Number(this.integer('max-cpu-throttle')),
      share: threshold === undefined ? 0.5 : Number(threshold) / 100,
    };
  }

  integer(name: string): bigint {
    const value = this.state().parameters[name];
    return typeof value === 'string' ? BigInt(value) : 0n;
  }

  text(name: string): string {
    const value = this.state().parameters[name];
    return typeof value === 'string' ? value : '';
  }

  on(capability: string): boolean {
    return this.state().capabilities.includes(capability);
  }
}
