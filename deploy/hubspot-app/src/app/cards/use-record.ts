import { useCallback, useEffect, useRef, useState } from 'react';
import type { Answer, RecordId } from './answer';
import { look, Refusal } from './hub';

export interface Looking {
  /** The newest answer; it stays while another is asked for, or refused. */
  answer?: Answer;
  refusal?: Refusal;
  isLooking: boolean;
  lookAgain(): Promise<Answer | undefined>;
  /** Looks until a later render than `after` shows; false when it did not within all waits. */
  laterRender(recipe: string, after: number): Promise<boolean>;
}

/** What the hub knows of a record. `waits` are the milliseconds before each look for a new render: they bound the looks. */
export function useRecord({ type, id }: RecordId, waits: readonly number[]): Looking {
  const [shown, setShown] = useState<Pick<Looking, 'answer' | 'refusal' | 'isLooking'>>({ isLooking: true });
  const asked = useRef(0);
  const isGone = useRef(false);

  const lookAgain = useCallback(async () => {
    const turn = ++asked.current;
    // Of two answers under way the one that was asked for last counts.
    const isLast = () => turn === asked.current;
    setShown((former) => ({ ...former, isLooking: true }));
    try {
      const answer = await look({ type, id });
      if (isLast()) setShown({ answer, isLooking: false });
      return answer;
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal('The card failed.');
      if (isLast()) setShown(({ answer }) => ({ answer, refusal, isLooking: false }));
      return undefined;
    }
  }, [type, id]);

  useEffect(() => {
    isGone.current = false;
    void lookAgain();
    return () => {
      isGone.current = true;
    };
  }, [lookAgain]);

  const laterRender = async (recipe: string, after: number): Promise<boolean> => {
    for (const wait of waits) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      if (isGone.current) return false;
      const answer = await lookAgain();
      if (answer?.videos.some((video) => video.recipe === recipe && video.render > after)) return true;
    }
    return false;
  };
  return { ...shown, lookAgain, laterRender };
}
