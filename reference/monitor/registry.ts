import type { CommandDefinition, Schema } from '../../qapi/schema.js';
import type { CommandHandler, CommandTable } from '../migration/host.js';

export interface RegisteredCommand {
  readonly definition: CommandDefinition;
  readonly handler: CommandHandler;
}

/** The commands of this monitor: those that the dialect's schema defines and some module implements. */
export class CommandRegistry {
  /** Those that were asked for: most monitors are asked for few. */
  readonly #found = new Map<string, RegisteredCommand>();

  /** @param tables of two that have a command, the later one's counts */
  constructor(
    readonly schema: Schema,
    private readonly tables: readonly CommandTable[],
  ) {}

  /** Exact match, byte for byte (QMP-CMD-05). */
  find(name: string): RegisteredCommand | undefined {
    const known = this.#found.get(name);
    if (known !== undefined) return known;
    const definition = this.schema.commands.get(name);
    const handler = definition && this.tables.findLast((table) => table.has(name))?.get(name);
    if (definition === undefined || handler === undefined) return undefined;
    const found = { definition, handler };
    this.#found.set(name, found);
    return found;
  }

  get names(): string[] {
    const names = new Set(this.tables.flatMap((table) => [...table.keys()]));
    return [...names].filter((name) => this.schema.commands.has(name));
  }
}
