/** Requirements that no planted fault makes fail, each with the reason. */
export const unproven: Readonly<Record<string, string>> = {};
