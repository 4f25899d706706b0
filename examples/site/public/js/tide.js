const PERIOD = 12.42 * 3600 * 1000;

/** The next high water after `now`, as people say it. */
export function nextHighWater(now) {
  const next = new Date(Math.ceil(now.getTime() / PERIOD) * PERIOD);
  return next.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}
