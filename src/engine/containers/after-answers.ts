const answeringMs = 2;

/**
 * Settles when whoever waited for an exit had the time to be answered: the last output and the exit code are on their way,
 * and the clean-up does not stand in it.
 */
export const afterAnswers = (): Promise<void> => Bun.sleep(answeringMs);
