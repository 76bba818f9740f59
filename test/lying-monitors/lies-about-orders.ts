import { isObject, type JsonObject } from '../../protocol/json.js';
import { accepted, argumentsOf, descOf, dropped, statusOf, success } from './ask.js';
import { type Lie, timestamp, without } from './lie.js';

/** Takes a command and does nothing. */
const swallowed =
  (is: (command: JsonObject, incoming: boolean) => boolean): NonNullable<Lie['up']> =>
  (command, { say, incoming }) => {
    if (!is(command, incoming)) return command;
    say(success(command));
    return undefined;
  };
const refused = (command: JsonObject, desc: string): JsonObject => {
  const { id } = command;
  return { error: { class: 'GenericError', desc }, ...(id === undefined ? {} : { id }) };
};
const withArguments =
  (name: string, change: (args: JsonObject) => JsonObject): NonNullable<Lie['up']> =>
  (command) =>
    command.execute === name && isObject(command.arguments)
      ? { ...command, arguments: change(command.arguments) }
      : command;

export const aboutOrders = {
  'migrate-ignored': { says: 'takes migrate and stays', up: swallowed(({ execute }) => execute === 'migrate') },
  'incoming-ignored': {
    says: 'takes migrate-incoming and does not listen',
    up: swallowed(({ execute }) => execute === 'migrate-incoming'),
  },
  'pause-ignored': {
    says: 'takes migrate-pause and goes on',
    up: swallowed((command) => command.execute === 'migrate-pause' || command['exec-oob'] === 'migrate-pause'),
  },
  'recover-ignored': {
    says: 'takes migrate-recover and does not listen',
    up: swallowed((command) => command.execute === 'migrate-recover' || command['exec-oob'] === 'migrate-recover'),
  },
  'resume-ignored': {
    says: 'takes migrate with resume and stays paused',
    up: swallowed((command) => command.execute === 'migrate' && argumentsOf(command).resume === true),
  },
  'resume-not-understood': {
    says: 'does not mind resume',
    up: withArguments('migrate', (args) => (args.resume === true ? without(args, 'resume') : args)),
  },
  'resume-anywhere': {
    says: 'takes a resume where nothing is paused',
    down: accepted('migrate', 'Cannot resume'),
  },
  'stop-at-destination-ignored': {
    says: 'forgets a stop that comes ahead of the migration',
    up: swallowed(({ execute }, incoming) => incoming && execute === 'stop'),
  },
  'cont-at-destination-ignored': {
    says: 'forgets a cont that comes ahead of the migration',
    up: (command, { say, incoming, shared }) => {
      if (command.execute !== 'cont' || !incoming || shared.has('arrived')) return command;
      say(success(command));
      return undefined;
    },
    down: (message, { shared }) => {
      if (statusOf(message) === 'completed') shared.set('arrived', true);
      return [message];
    },
  },
  'system-reset-ignored': {
    says: 'takes system_reset and does nothing',
    up: swallowed(({ execute }) => execute === 'system_reset'),
  },
  'migrate-from-waiting-accepted': {
    says: 'takes migrate while it waits for a migration',
    down: accepted('migrate', 'waiting for an incoming'),
  },
  'migrate-again-refused': {
    says: 'migrates once and never again',
    down: (message, { command, shared }) => {
      if (command?.execute !== 'migrate' || !('return' in message)) return [message];
      const again = shared.has('once');
      shared.set('once', true);
      return [again ? refused(message, 'Already migrated') : message];
    },
  },
  'detach-refused': {
    says: 'does not know detach',
    down: (message, { command }) =>
      command?.execute === 'migrate' && 'detach' in argumentsOf(command)
        ? [refused(message, "Parameter 'detach' is unexpected")]
        : [message],
  },
  'start-postcopy-too-early': {
    says: 'takes migrate-start-postcopy ahead of any migration',
    down: accepted('migrate-start-postcopy', 'must be started after'),
  },
  'start-postcopy-twice-refused': {
    says: 'refuses migrate-start-postcopy when it was given before',
    down: (message, { command, shared }) => {
      if (command?.execute !== 'migrate-start-postcopy' || !('return' in message)) return [message];
      const again = shared.has('started');
      shared.set('started', true);
      return [again ? refused(message, 'Postcopy has been started') : message];
    },
  },
  'continue-of-the-present-refused': {
    says: 'takes migrate-continue in its pause only',
    down: (message, { command }) =>
      command?.execute === 'migrate-continue' && 'return' in message && argumentsOf(command).state !== 'pre-switchover'
        ? [refused(message, 'Migration is not paused')]
        : [message],
  },
  'settings-refused-while-migrating': {
    says: 'takes no parameters while it migrates',
    down: (message, { command, shared }) => {
      const said = statusOf(message);
      if (said !== undefined) shared.set('now', said);
      return command?.execute === 'migrate-set-parameters' && shared.get('now') === 'active' && 'return' in message
        ? [refused(message, "There's a migration process in progress")]
        : [message];
    },
  },
  'conflicts-accepted': {
    says: 'takes capabilities that exclude each other',
    down: (message, { command }) => [
      command?.execute === 'migrate-set-capabilities' &&
      /not currently compatible|requires|cannot|not compatible|incompatible/i.test(descOf(message))
        ? success(message)
        : message,
    ],
  },
  'empty-capabilities-refused': {
    says: 'takes no empty list of capabilities',
    down: (message, { command }) => {
      const { capabilities } = argumentsOf(command);
      const empty = Array.isArray(capabilities) && capabilities.length === 0;
      return command?.execute === 'migrate-set-capabilities' && empty
        ? [refused(message, 'nothing to set')]
        : [message];
    },
  },
  'empty-parameters-refused': {
    says: 'takes no empty set of parameters',
    down: (message, { command }) =>
      command?.execute === 'migrate-set-parameters' && Object.keys(argumentsOf(command)).length === 0
        ? [refused(message, 'nothing to set')]
        : [message],
  },
  'unlisted-commands-obeyed': {
    says: 'has commands that it does not list',
    down: (message, { command }) => [
      command?.execute === 'migrate_set_speed' && 'error' in message ? success(message) : message,
    ],
  },
  'dashes-and-underscores': {
    says: 'takes a dash for an underscore in names of commands',
    up: (command) => (command.execute === 'migrate-cancel' ? { ...command, execute: 'migrate_cancel' } : command),
  },
  'null-arguments': {
    says: 'takes arguments that are null for none',
    up: (command) => (command.arguments === null ? without(command, 'arguments') : command),
  },
  'numbers-in-strings': {
    says: 'takes digits in a string for an integer',
    up: withArguments('migrate-set-parameters', (args) =>
      Object.fromEntries(
        Object.entries(args).map(([name, value]) => [
          name,
          typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value,
        ]),
      ),
    ),
  },
  'numbers-as-booleans': {
    says: 'takes 0 and 1 for booleans',
    up: withArguments('migrate-set-capabilities', (args) => ({
      ...args,
      ...(Array.isArray(args.capabilities)
        ? {
            capabilities: args.capabilities.map((one) =>
              isObject(one) && typeof one.state === 'number' ? { ...one, state: one.state !== 0 } : one,
            ),
          }
        : {}),
    })),
  },
  'enums-ignore-case': {
    says: 'does not mind the case of capabilities',
    up: withArguments('migrate-set-capabilities', (args) => ({
      ...args,
      ...(Array.isArray(args.capabilities)
        ? {
            capabilities: args.capabilities.map((one) =>
              isObject(one) && typeof one.capability === 'string'
                ? { ...one, capability: one.capability.toLowerCase() }
                : one,
            ),
          }
        : {}),
    })),
  },
  'one-for-a-list': {
    says: 'takes one capability in the place of a list',
    up: withArguments('migrate-set-capabilities', (args) =>
      isObject(args.capabilities) ? { ...args, capabilities: [args.capabilities] } : args,
    ),
  },
  'sizes-with-suffix': {
    says: 'takes sizes with a suffix',
    up: withArguments('migrate-set-parameters', (args) =>
      Object.fromEntries(
        Object.entries(args).map(([name, value]) => [
          name,
          typeof value === 'string' && /^\d+[kMG]$/.test(value) ? Number(value.slice(0, -1)) * 1024 : value,
        ]),
      ),
    ),
  },
  'negative-sizes-refused': {
    says: 'takes no negative number for an unsigned one',
    down: (message, { command }) => {
      const negative = Object.values(argumentsOf(command)).some((value) => Number(value) < 0);
      return 'return' in message && command?.execute === 'migrate-set-parameters' && negative
        ? [refused(message, 'out of range')]
        : [message];
    },
  },
  'falsy-ids-dropped': {
    says: 'takes 0, false and an empty string for no id',
    down: (message) => [
      message.id === 0 || message.id === false || message.id === '' ? without(message, 'id') : message,
    ],
  },
  'ids-of-the-command-before': {
    says: 'now and then gives the id of the command before back',
    down: (message, { command, memory }) => {
      if (command === undefined) return [message];
      const before = memory.get('before') as JsonObject['id'];
      const count = Number(memory.get('count') ?? 0) + 1;
      memory.set('before', command.id);
      memory.set('count', count);
      return [
        count % 7 === 0 && before !== undefined && message.id !== undefined ? { ...message, id: before } : message,
      ];
    },
  },
  'ids-trimmed': {
    says: 'gives ids back without blanks around them',
    down: (message) => [typeof message.id === 'string' ? { ...message, id: message.id.trim() } : message],
  },
  'ids-in-letters-only': {
    says: 'gives letters of an id beyond ASCII back as question marks',
    down: (message) => [
      typeof message.id === 'string'
        ? { ...message, id: [...message.id].map((one) => (one.charCodeAt(0) > 126 ? '?' : one)).join('') }
        : message,
    ],
  },
  'ids-deep-in-flat': {
    says: 'gives an id that is a list in a list back as one list',
    down: (message) => [Array.isArray(message.id) ? { ...message, id: message.id.flat() } : message],
  },
  'human-lines-with-line-feed': {
    says: 'ends lines for humans with LF alone',
    down: (message, { command }) => [
      command?.execute === 'human-monitor-command' && typeof message.return === 'string'
        ? { ...message, return: message.return.replaceAll('\r\n', '\n') }
        : message,
    ],
  },
  'human-errors-as-errors': {
    says: 'answers an unknown human command with an error',
    down: (message, { command }) =>
      command?.execute === 'human-monitor-command' && String(message.return).startsWith('unknown command')
        ? [refused(message, 'unknown command')]
        : [message],
  },
  'human-status-stale': {
    says: 'tells humans that it runs',
    down: (message, { command }) => [
      command?.execute === 'human-monitor-command' && String(message.return).startsWith('VM status')
        ? { ...message, return: 'VM status: running\r\n' }
        : message,
    ],
  },
  'name-invented': {
    says: 'has a name that nobody gave it',
    down: (message, { command }) => [
      command?.execute === 'query-name' && 'return' in message ? { ...message, return: { name: 'qemu' } } : message,
    ],
  },
  'spice-class': {
    says: 'refuses client_migrate_info without SPICE as GenericError',
    down: (message, { command }) => [
      command?.execute === 'client_migrate_info' && isObject(message.error)
        ? { ...message, error: { ...message.error, class: 'GenericError' } }
        : message,
    ],
  },
  'heartbeat-anywhere': {
    says: 'takes x-colo-lost-heartbeat where no COLO is',
    down: accepted('x-colo-lost-heartbeat'),
  },
  'replication-status-with-error': {
    says: 'tells an error of replication where none is',
    down: (message, { command }) => [
      command?.execute === 'query-xen-replication-status' && 'return' in message
        ? { ...message, return: { error: true } }
        : message,
    ],
  },
  'replication-failover-accepted': {
    says: 'takes failover together with a start of replication',
    down: accepted('xen-set-replication'),
  },
  'xen-save-in-silence': {
    says: 'does not tell that it stops to save devices',
    down: (message, talk) => {
      const saving = talk.shared.get('saving') === true;
      return saving ? dropped(({ event }) => event === 'STOP' || event === 'RESUME')(message, talk) : [message];
    },
    up: (command, { shared }) => {
      shared.set('saving', command.execute === 'xen-save-devices-state');
      return command;
    },
  },
  'xen-save-anywhere': { says: 'saves devices to a place that is none', down: accepted('xen-save-devices-state') },
  'incoming-without-setup': {
    says: 'does not announce that it waits for a migration',
    down: dropped((event, incoming) => incoming && statusOf(event) === 'setup'),
  },
  'incoming-setup-twice': {
    says: 'announces twice that it waits for a migration',
    down: (message, { incoming }) => (incoming && statusOf(message) === 'setup' ? [message, message] : [message]),
  },
  'incoming-bad-uri-accepted': {
    says: 'takes any URI to wait on',
    down: accepted('migrate-incoming', 'unknown migration protocol'),
  },
  'pause-then-resume': {
    says: 'announces that the guest runs when it pauses before the switch-over',
    down: (message) =>
      statusOf(message) === 'pre-switchover' ? [message, { event: 'RESUME', timestamp: timestamp() }] : [message],
  },
} satisfies Record<string, Lie>;
