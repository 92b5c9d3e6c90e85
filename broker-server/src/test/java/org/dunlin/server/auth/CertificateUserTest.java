package org.dunlin.server.auth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.security.cert.X509Certificate;
import org.dunlin.server.auth.CertificateUser.Field;
import org.dunlin.server.auth.CertificateUser.Unfit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CertificateUserTest {
    private X509Certificate full;
    private X509Certificate bare;
    private X509Certificate twice;

    @BeforeAll
    void make() throws Exception {
        full = Certificates.make(
                "CN=meter\\, 1, OU=north, O=Example",
                "-ext",
                "SAN=dns:meter-1.example.org,email:m1@example.org,uri:urn:meter:1,ip:127.0.0.1");
        bare = Certificates.make("OU=north");
        twice = Certificates.make("CN=one,CN=two", "-ext", "SAN=dns:one.example.org,dns:two.example.org");
    }

    private static String name(Field field, X509Certificate certificate) throws Unfit {
        return new CertificateUser(field, false).name(certificate);
    }

    private static String refusal(Field field, X509Certificate certificate) {
        return assertThrows(Unfit.class, () -> name(field, certificate)).getMessage();
    }

    @Test
    void everyField_isRead() throws Exception {
        assertEquals("meter, 1", name(Field.CN, full));
        assertEquals("CN=meter\\, 1,OU=north,O=Example", name(Field.SUBJECT, full));
        assertEquals("meter-1.example.org", name(Field.SAN_DNS, full));
        assertEquals("m1@example.org", name(Field.SAN_EMAIL, full));
        assertEquals("urn:meter:1", name(Field.SAN_URI, full));
        assertEquals("OU=north", name(Field.SUBJECT, bare));
    }

    @Test
    void missingName_isRefusedWithWhatIsMissing() {
        assertTrue(refusal(Field.CN, bare).startsWith("the certificate has no common name, but one names the user"));
        assertTrue(refusal(Field.SAN_DNS, bare).startsWith("the certificate has no DNS name"));
        assertTrue(refusal(Field.SAN_EMAIL, bare).startsWith("the certificate has no e-mail address"));
        assertTrue(refusal(Field.SAN_URI, bare).startsWith("the certificate has no URI"));
    }

    @Test
    void ofSeveralNames_noneIsTaken() {
        assertTrue(refusal(Field.CN, twice).startsWith("the certificate has 2 times a common name"));
        assertTrue(refusal(Field.SAN_DNS, twice).startsWith("the certificate has 2 times a DNS name"));
    }

    @Test
    void controlCharacters_areRefused_andNotRepeated() throws Exception {
        X509Certificate evil = Certificates.make("CN=admin\n2026 Accepted root");

        String said = refusal(Field.CN, evil);

        assertTrue(said.contains("has a control character"), said);
        assertEquals(-1, said.indexOf('\n'));
    }
}
