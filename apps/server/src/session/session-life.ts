/** NIST SP 800-63B-4, section 2.2.3: again after a day at the latest, and after an hour in which nothing happened. */
export const SESSION_LIFE_MS = 24 * 3_600_000;
export const SESSION_IDLE_MS = 3_600_000;
