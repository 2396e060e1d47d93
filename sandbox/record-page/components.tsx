// HubSpot's components as plain HTML: those that the card uses.
import type { ComponentMapping } from '@remote-ui/react/host';
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';

interface Held {
  children?: ReactNode;
}

const by = (...names: (string | false | undefined)[]): string => names.filter(Boolean).join(' ');

const block =
  (name: string) =>
  ({ children }: Held) => <div className={name}>{children}</div>;

function Titled({ title, children, role, name }: Held & { title?: string; role?: string; name: string }) {
  return (
    <section className={name} role={role}>
      {title && <strong>{title}</strong>}
      <div>{children}</div>
    </section>
  );
}

function Text({ children, variant, format = {}, inline }: Held & TextProps) {
  const { fontWeight = '', italic } = format;
  const Tag = inline ? 'span' : 'p';
  return <Tag className={by(variant, fontWeight, italic && 'italic')}>{children}</Tag>;
}

interface TextProps {
  variant?: string;
  inline?: boolean;
  format?: { fontWeight?: string; italic?: boolean };
}

/** Closes the overlay that it stands around. */
const Overlay = createContext<() => void>(() => undefined);
const overlays = new Map<string, () => void>();

/** What the action `closeOverlay` of a card does. */
export const closeOverlay = (id: string): void => overlays.get(id)?.();

interface ButtonProps extends Held {
  onClick?: (event: object) => void;
  disabled?: boolean;
  loading?: boolean;
  variant?: string;
  size?: string;
  overlay?: ReactNode;
}

function Button({ children, onClick, disabled, loading, variant = 'secondary', size, overlay }: ButtonProps) {
  const [isOpen, setOpen] = useState(false);
  const clicked = () => {
    if (overlay) setOpen(true);
    onClick?.({});
  };
  return (
    <>
      <button
        type="button"
        className={by(variant, size)}
        disabled={disabled === true || loading === true}
        aria-busy={loading === true}
        onClick={clicked}
      >
        {children}
      </button>
      {overlay && isOpen && <Overlay.Provider value={() => setOpen(false)}>{overlay}</Overlay.Provider>}
    </>
  );
}

interface ModalProps extends Held {
  id: string;
  title?: string;
  'aria-label'?: string;
}

function Modal({ id, title, children, 'aria-label': label }: ModalProps) {
  const close = useContext(Overlay);
  useEffect(() => {
    overlays.set(id, close);
    return () => {
      overlays.delete(id);
    };
  }, [id, close]);
  const show = (dialog: HTMLDialogElement | null) => {
    if (dialog?.open === false) dialog.showModal();
  };
  return (
    <dialog ref={show} aria-label={label ?? title} onClose={close}>
      <h2>{title}</h2>
      {children}
    </dialog>
  );
}

function Link({ children, href }: Held & { href: string | { url: string; external?: boolean } }) {
  const { url, external = false } = typeof href === 'string' ? { url: href } : href;
  return (
    <a href={url} {...(external && { target: '_blank', rel: 'noreferrer' })}>
      {children}
    </a>
  );
}

export const components: ComponentMapping = {
  Alert: (props: Held & { title: string; variant?: string }) => (
    <Titled {...props} role="alert" name={by('alert', props.variant)} />
  ),
  Button,
  DescriptionList: ({ children }: Held) => <dl>{children}</dl>,
  DescriptionListItem: ({ label, children }: Held & { label: string }) => (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  ),
  EmptyState: (props: Held & { title?: string }) => <Titled {...props} name="empty" />,
  ErrorState: (props: Held & { title?: string }) => <Titled {...props} role="alert" name="alert error" />,
  Flex: block('stack'),
  Heading: ({ children }: Held) => <h3>{children}</h3>,
  Inline: block('inline'),
  Link,
  List: ({ children }: Held) => (
    <ul>{[children].flat().map((child, index) => child && <li key={index}>{child}</li>)}</ul>
  ),
  LoadingButton: Button,
  LoadingSpinner: ({ label }: { label: string }) => <p role="status">{label} …</p>,
  Modal,
  ModalBody: block('stack'),
  ModalFooter: block('inline footer'),
  StatusTag: ({ children, variant }: Held & { variant?: string }) => (
    <span className={by('tag', variant)}>{children}</span>
  ),
  Text,
  Tile: block('tile stack'),
};
