import type { CommandDefinition, Schema } from '../../qapi/schema.js';
import type { CommandHandler, CommandTable } from '../migration/host.js';

export interface RegisteredCommand {
  readonly definition: CommandDefinition;
  readonly handler: CommandHandler;
}

/** The commands of this monitor: those that the dialect's schema defines and some module implements. */
export class CommandRegistry {
  readonly #commands = new Map<string, RegisteredCommand>();

  constructor(
    readonly schema: Schema,
    tables: Iterable<CommandTable>,
  ) {
    for (const table of tables) {
      for (const [name, handler] of table) {
        const definition = schema.commands.get(name);
        if (definition) this.#commands.set(name, { definition, handler });
      }
    }
  }

  /** Exact match, byte for byte (QMP-CMD-05). */
  find(name: string): RegisteredCommand | undefined {
    return this.#commands.get(name);
  }

  get names(): string[] {
    return [...this.#commands.keys()];
  }
}
