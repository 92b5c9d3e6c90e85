package org.dunlin.it.doors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSocket;
import org.dunlin.it.RunningBroker;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whose TLS the packed broker has, with its native library and where that does not load. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 3, unit = TimeUnit.MINUTES)
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class TlsProviderIT {
    /** Nothing can be unpacked there. */
    private static final String NO_LIBRARY = "-Dio.netty.native.workdir=/proc";

    private static final byte[] CONNECT = {0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 1, 'c'};
    private static final byte[] PUBLISH = {0x32, 5, 0, 1, 't', 0, 9};
    private static final byte[] CONNACK_AND_PUBACK = {0x20, 2, 0, 0, 0x40, 2, 0, 9};

    private Identity server;

    @BeforeAll
    void make(@TempDir Path folder) throws Exception {
        server = Identity.make(folder, "server");
    }

    private RunningBroker launch(String option, String provider) {
        List<String> settings = List.of(
                "server.tls-provider=" + provider,
                "listeners[0].port=0",
                "listeners[1].type=tls",
                "listeners[1].port=0",
                "listeners[1].cert=" + server.cert(),
                "listeners[1].key=" + server.key());
        List<String> command = new ArrayList<>(RunningBroker.command(List.of("-Xmx512m", option), settings));
        int port = command.indexOf("-p");
        command.subList(port, port + 2).clear();
        return RunningBroker.launch(command);
    }

    /** A client that has said all and ends its side gets its answers still; Java's TLS 1.2 alone ends both sides. */
    @ParameterizedTest
    @CsvSource({
        "-Dx=y, auto, TLS by BoringSSL",
        "-Dx=y, openssl, TLS by BoringSSL",
        "-Dx=y, jdk, TLS by Java",
        NO_LIBRARY + ", auto, TLS by Java (no BoringSSL: its library does not load on Linux amd64: ",
        NO_LIBRARY + ", jdk, TLS by Java"
    })
    void provider_isToldAndServes(String option, String provider, String told) throws Exception {
        try (RunningBroker broker = launch(option, provider)) {
            assertTrue(broker.port() > 0);
            int port =
                    Integer.parseInt(broker.awaitLog(" Ready ").replaceAll(".*tls://127\\.0\\.0\\.1:(\\d+).*", "$1"));
            assertTrue(
                    broker.awaitLog("TLS by").contains(told), () -> broker.log().toString());
            for (String protocol : told.contains("Java") ? List.of("TLSv1.3") : List.of("TLSv1.2", "TLSv1.3")) {
                try (SSLSocket socket =
                        (SSLSocket) server.context().getSocketFactory().createSocket("127.0.0.1", port)) {
                    socket.setSoTimeout(30_000);
                    socket.setEnabledProtocols(new String[] {protocol});
                    socket.getOutputStream().write(CONNECT);
                    socket.getOutputStream().write(PUBLISH);
                    socket.shutdownOutput();
                    assertArrayEquals(
                            CONNACK_AND_PUBACK, socket.getInputStream().readAllBytes());
                }
            }
            assertFalse(
                    broker.log().stream().anyMatch(line -> line.contains("\tat ")),
                    () -> broker.log().toString());
        }
    }

    @Test
    void openssl_whereItsLibraryDoesNotLoad_isAFaultOfTheConfiguration() {
        try (RunningBroker broker = launch(NO_LIBRARY, "openssl")) {
            assertEquals(2, broker.awaitExit());
            String last = broker.log().get(broker.log().size() - 1);
            assertTrue(
                    last.contains("server.tls-provider is openssl, but its library does not load on Linux amd64: "),
                    last);
            assertTrue(last.endsWith("; set it to auto or jdk"), last);
        }
    }
}
