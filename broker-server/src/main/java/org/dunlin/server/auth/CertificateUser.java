package org.dunlin.server.auth;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.security.auth.x500.X500Principal;
import org.dunlin.server.config.Quote;

/**
 * Reads from a client's certificate, proven in the TLS handshake, which user it is. Any thread.
 *
 * @param field where in the certificate the name stands
 * @param passwordToo whether that user's password or token is asked for as well
 */
public record CertificateUser(Field field, boolean passwordToo) {
    /** A place in a certificate where a name can stand. */
    public enum Field {
        CN("common name"),
        SAN_DNS("DNS name", 2),
        SAN_EMAIL("e-mail address", 1),
        SAN_URI("URI", 6),
        SUBJECT("subject");

        private final String words;
        /** Of a GeneralName of RFC 5280; -1 if it is none. */
        private final int tag;

        Field(String words) {
            this(words, -1);
        }

        Field(String words, int tag) {
            this.words = words;
            this.tag = tag;
        }
    }

    /** A certificate that names nobody; the message is a sentence about it for the client and the log. */
    static final class Unfit extends Exception {
        private static final long serialVersionUID = 1L;

        Unfit(String what) {
            super(what, null, false, false);
        }
    }

    /** Never guesses: of several names none is taken. */
    String name(X509Certificate certificate) throws Unfit {
        List<String> names;
        try {
            names = switch (field) {
                case CN -> commonNames(certificate.getSubjectX500Principal());
                case SUBJECT -> List.of(certificate.getSubjectX500Principal().getName(X500Principal.RFC2253));
                case SAN_DNS, SAN_EMAIL, SAN_URI -> alternativeNames(certificate);
            };
        } catch (InvalidNameException | CertificateParsingException damaged) {
            throw new Unfit("the certificate has no readable " + field.words + "; have it made anew");
        }
        if (names.size() != 1) {
            throw new Unfit("the certificate has " + (names.isEmpty() ? "no " : names.size() + " times a ")
                    + field.words + ", but one names the user (auth.certificate.user); show another certificate");
        }
        String unfit = UserName.unfit(names.get(0));
        if (unfit != null) {
            throw new Unfit("the certificate's " + field.words + ", " + Quote.of(names.get(0)) + ", " + unfit
                    + "; show another certificate");
        }
        return names.get(0);
    }

    private static List<String> commonNames(X500Principal subject) throws InvalidNameException {
        List<String> names = new ArrayList<>();
        for (Rdn part : new LdapName(subject.getName(X500Principal.RFC2253)).getRdns()) {
            var values = part.toAttributes().get("CN");
            for (int i = 0; values != null && i < values.size(); i++) {
                names.add(text(values, i));
            }
        }
        return names;
    }

    private static String text(javax.naming.directory.Attribute values, int index) throws InvalidNameException {
        try {
            if (values.get(index) instanceof String text) {
                return text;
            }
        } catch (javax.naming.NamingException e) {
            throw new InvalidNameException(e.getMessage());
        }
        throw new InvalidNameException("a name that is no text");
    }

    private List<String> alternativeNames(X509Certificate certificate) throws CertificateParsingException {
        List<String> names = new ArrayList<>();
        Collection<List<?>> all = certificate.getSubjectAlternativeNames();
        if (all != null) {
            for (List<?> each : all) {
                if (Integer.valueOf(field.tag).equals(each.get(0)) && each.get(1) instanceof String name) {
                    names.add(name);
                }
            }
        }
        return names;
    }
}
