import { Alert, Button, LoadingButton, Modal, ModalBody, ModalFooter, Text } from '@hubspot/ui-extensions';
import { useRef, useState } from 'react';
import type { Cost, RecordId } from './answer';
import { Refusal, renderAgain } from './hub';
import type { Looking } from './use-record';
import { costWords } from './words';

interface RenderAgainProps {
  recipe: string;
  /** The render that the person sees. */
  render: number;
  cost: Cost;
  record: RecordId;
  looking: Looking;
  close: (overlay: string) => void;
}

type State = { is: 'idle' | 'asking' | 'waiting' | 'late' } | { is: 'refused'; says: string };

/** Asks before it spends anything, says what it costs, and waits for the new render to show. */
export function RenderAgain({ recipe, render, cost, record, looking, close }: RenderAgainProps) {
  const [state, setState] = useState<State>({ is: 'idle' });
  // A second click may come before the button is shown as off.
  const isAsked = useRef(false);
  const overlay = `render-again-${recipe}`;

  const confirm = async () => {
    if (isAsked.current) return;
    isAsked.current = true;
    setState({ is: 'asking' });
    try {
      await renderAgain(record, recipe, render);
    } catch (error) {
      isAsked.current = false;
      if (error instanceof Refusal && error.code === 'render-moved-on') {
        close(overlay);
        // A newer one shows in a tile of its own.
        await looking.lookAgain();
        setState({ is: 'idle' });
        return;
      }
      setState({ is: 'refused', says: error instanceof Error ? error.message : String(error) });
      return;
    }
    close(overlay);
    setState({ is: 'waiting' });
    if (!(await looking.laterRender(recipe, render))) setState({ is: 'late' });
  };

  if (state.is === 'waiting') return <Text>Asked. The new render will show here.</Text>;
  if (state.is === 'late') return <Text>Asked. The new render has not begun yet; refresh in a while to see it.</Text>;
  const isAsking = state.is === 'asking';
  return (
    <Button
      size="sm"
      variant="secondary"
      disabled={isAsking}
      overlay={
        <Modal id={overlay} title="Render this video again?" width="sm">
          <ModalBody>
            <Text>
              Recipe {recipe}, with the record as it is now. It costs {costWords(cost)}.
            </Text>
            {state.is === 'refused' && (
              <Alert title="It was not asked for" variant="danger">
                {state.says}
              </Alert>
            )}
          </ModalBody>
          <ModalFooter>
            <LoadingButton variant="primary" loading={isAsking} onClick={() => void confirm()}>
              Render again for {costWords(cost)}
            </LoadingButton>
            <Button variant="secondary" disabled={isAsking} onClick={() => close(overlay)}>
              Leave it
            </Button>
          </ModalFooter>
        </Modal>
      }
    >
      Render again
    </Button>
  );
}
