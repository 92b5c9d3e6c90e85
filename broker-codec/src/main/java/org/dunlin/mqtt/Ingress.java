package org.dunlin.mqtt;

/** What a message gets on its way in that is not on the wire; asked once a PUBLISH on the thread that decodes. */
public interface Ingress {
    /** Client identifier of the connection. */
    String publisher();

    long nextMessageId();

    /** The clock that {@link Message#expiresAtMillis()} is read by. */
    long nowMillis();

    /** For decoders that stand alone, as in a client: no publisher, no identity, the wall clock. */
    Ingress NONE = new Ingress() {
        @Override
        public String publisher() {
            return "";
        }

        @Override
        public long nextMessageId() {
            return 0;
        }

        @Override
        public long nowMillis() {
            return System.currentTimeMillis();
        }
    };
}
