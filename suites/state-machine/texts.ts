/** Texts of errors that several rows share (commands.md §9, §10). */
export const inProgress = "There's a migration process in progress";
export const waitingForIncoming = 'Guest is waiting for an incoming migration';
export const nothingToResume = 'Cannot resume if there is no paused migration';
export const notFinalized = 'Migration is not finalized yet';
export const cannotCancelPostcopy = 'Postcopy migration in progress, cannot cancel.';
