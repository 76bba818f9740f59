/** Error texts of the protocol layers, for strict mode. */

export const notAnObject = 'QMP input must be a JSON object';
export const lacksExecute = "QMP input lacks member 'execute'";
export const unexpectedMember = (name: string): string => `QMP input member '${name}' is unexpected`;
export const mustBe = (name: string, type: 'a string' | 'an object'): string =>
  `QMP input member '${name}' must be ${type}`;
export const clash = "QMP input member 'execute' clashes with 'exec-oob'";
export const notFound = (name: string): string => `The command ${name} has not been found`;
export const noOob = (name: string): string => `The command ${name} does not support OOB`;

export const expectingNegotiation = "Expecting capabilities negotiation with 'qmp_capabilities'";
export const alreadyNegotiated = 'Capabilities negotiation is already complete, command ignored';

export const missing = (path: string): string => `Parameter '${path}' is missing`;
export const unexpected = (path: string): string => `Parameter '${path}' is unexpected`;
export const wrongType = (path: string, expected: string): string =>
  `Invalid parameter type for '${path}', expected: ${expected}`;
export const expects = (path: string, what: string): string => `Parameter '${path}' expects ${what}`;
