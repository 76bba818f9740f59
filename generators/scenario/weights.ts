/**
 * How often a walk tries what: the one table to look at and to turn. Weights count against the others of their list; chances
 * are of 100. What leads deep is heavier than what everyone tries.
 */
export const weights = {
  /** What a scenario is about: a source with peers of ours, two instances, or a destination that we feed. */
  stage: { source: 11, pair: 6, fed: 4 },

  /** What a source does, several times over. */
  episode: { idle: 2, refused: 2, plain: 3, held: 6, postcopy: 7, colo: 2 },
  /** A migration between two instances. */
  pair: { precopy: 3, postcopy: 6, colo: 3 },
  /** A stream of ours into a destination. */
  fed: { whole: 2, cut: 3, flipped: 3, shuffled: 3, postcopy: 6, silent: 1 },

  /** How a peer holds the source: each in a state of its own. */
  held: { full: 1, stall: 4, silent: 4, 'pre-switchover': 5 },
  /** How a held migration ends. */
  wayOut: { release: 4, cut: 3, cancel: 3 },
  /** What a relay between two instances does from the beginning. */
  relay: { none: 6, pass: 3, slow: 1, slice: 2, cut: 2 },

  /** Commands that fit anywhere, right or wrong. */
  noise: {
    'query-migrate': 6,
    'query-status': 2,
    'query-migrate-parameters': 1,
    'query-migrate-capabilities': 1,
    'migrate-set-parameters': 4,
    'migrate-set-capabilities': 3,
    'migrate-continue': 2,
    'migrate-start-postcopy': 2,
    'migrate-pause': 2,
    'migrate-recover': 1,
    'x-colo-lost-heartbeat': 1,
    'migrate-incoming': 1,
    resume: 1,
    stop: 1,
    cont: 1,
    migrate_cancel: 1,
    fence: 1,
  },
  /** What is done to a connection instead of a command on it. */
  connection: { reconnect: 3, pipeline: 4, sliced: 3, second: 3, oob: 2 },
  /** How often noise is one of those instead of a command. */
  unusual: 15,

  /** Moves in a postcopy with a peer of ours, from any state of it. */
  postcopy: {
    noise: 6,
    pause: 4,
    cut: 3,
    recover: 8,
    'recover-in-vain': 3,
    message: 3,
    cancel: 1,
    stop: 1,
    cont: 1,
    heartbeat: 1,
  },
  /** … and between two instances. */
  postcopyPair: {
    noise: 5,
    pause: 4,
    'pause-destination': 3,
    cut: 3,
    recover: 8,
    'recover-wrongly': 2,
    cancel: 1,
    kill: 1,
  },
  /** Moves while two guests run side by side. */
  colo: { noise: 4, checkpoint: 3, heartbeat: 4, 'heartbeat-destination': 3, cut: 2, cancel: 2, kill: 1 },

  chance: {
    paused: 15,
    image: 40,
    events: 88,
    /** The process offers a second monitor, or commands out of band, on its first connection. */
    secondMonitor: 10,
    oob: 12,
    pauseBeforeSwitchover: 20,
    releaseRam: 10,
    returnPath: 30,
    listensFromTheStart: 30,
    /** Waits for the state in which a peer holds the source, instead of meeting it on its way. */
    awaitsTheHold: 70,
    /** … until a migration is over, and what it left behind is cleaned up. */
    contAfterwards: 60,
  },
} as const;
