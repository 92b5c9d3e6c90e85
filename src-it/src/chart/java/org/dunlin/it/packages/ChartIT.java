package org.dunlin.it.packages;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.marcnuri.helm.Helm;
import com.marcnuri.helm.LintResult;
import com.marcnuri.helm.TemplateCommand;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.dunlin.it.RunningBroker;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code docker/helm/dunlin}, rendered by Helm itself as a library, held against the types of Kubernetes, and its environment
 * against Dunlin's configuration. No cluster has seen it. With -Pchart only, since Helm is 28 MB.
 */
class ChartIT {
    private static final Path CHART = Path.of(System.getProperty("dunlin.root", ".."), "docker", "helm", "dunlin");
    private static final Pattern UNKNOWN = Pattern.compile("additionalProperties=\\{[^}]");

    @Test
    void lint_strict_findsNothing() {
        LintResult result = new Helm(CHART).lint().strict().call();
        assertFalse(result.isFailed(), () -> "" + result.getMessages());
    }

    @Test
    void nobodyWhoMayConnect_orNoPort_isRefusedWithTheValueToSet() {
        assertTrue(refused().contains("auth.existingSecret is needed"));
        String noPort = refused("auth.existingSecret=users", "service.mqttPort=0");
        assertTrue(noPort.contains("tls.existingSecret is needed"), noPort);
    }

    @Test
    void users_onePort_andAVolume() throws Exception {
        List<HasMetadata> all = render("auth.existingSecret=users");
        Container container = container(all);
        assertEquals(List.of(1883), ports(all));
        assertEquals(1, statefulSet(all).getSpec().getReplicas());
        assertEquals(
                "/data",
                mountPaths(container)
                        .get(statefulSet(all)
                                .getSpec()
                                .getVolumeClaimTemplates()
                                .get(0)
                                .getMetadata()
                                .getName()));
        assertEquals("/etc/dunlin/auth", mountPaths(container).get("auth"));
        assertEquals(
                List.of("dunlin", "health"),
                container.getReadinessProbe().getExec().getCommand());
        assertEquals(
                List.of("dunlin", "health"),
                container.getLivenessProbe().getExec().getCommand());
        assertRestricted(all);
        String shown = configuration(container);
        assertTrue(shown.contains("password-file: /etc/dunlin/auth/users"), shown);
    }

    @Test
    void everything_isWhatDunlinUnderstands() throws Exception {
        List<HasMetadata> all = render(
                "auth.existingSecret=users",
                "auth.aclSecret=rules",
                "tls.existingSecret=pair",
                "tls.clientAuth=required",
                "admin.tlsSecret=admin",
                "persistence.existingClaim=mine",
                "env.DUNLIN_LIMITS_MAX_PACKET_SIZE=1MB");
        Container container = container(all);
        assertEquals(List.of(1883, 8883, 18083), ports(all));
        assertTrue(statefulSet(all).getSpec().getVolumeClaimTemplates().isEmpty());
        assertEquals("/ready", container.getReadinessProbe().getHttpGet().getPath());
        assertEquals("/live", container.getLivenessProbe().getHttpGet().getPath());
        assertEquals("HTTPS", container.getLivenessProbe().getHttpGet().getScheme());
        assertRestricted(all);
        String shown = configuration(container);
        for (String line : List.of(
                "type: tls",
                "port: 8883",
                "cert: /etc/dunlin/tls/tls.crt",
                "client-auth: required",
                "acl-file: /etc/dunlin/acl/rules",
                "cert: /etc/dunlin/admin/tls.crt",
                "max-packet-size: 1MB")) {
            assertTrue(shown.contains(line), line + " in\n" + shown);
        }
    }

    @Test
    void tlsAlone_noVolume_adminInTheClear() throws Exception {
        List<HasMetadata> all = render(
                "auth.allowAnonymous=true",
                "service.mqttPort=0",
                "tls.existingSecret=pair",
                "admin.insecure=true",
                "persistence.enabled=false");
        Container container = container(all);
        assertEquals(List.of(8883, 18083), ports(all));
        assertEquals("HTTP", container.getReadinessProbe().getHttpGet().getScheme());
        assertNotNull(pod(all).getVolumes().stream()
                .filter(volume -> volume.getName().equals("data"))
                .findFirst()
                .orElseThrow()
                .getEmptyDir());
        assertRestricted(all);
        String shown = configuration(container);
        assertTrue(shown.contains("allow-anonymous: true") && !shown.contains("port: 1883"), shown);
    }

    private static void assertRestricted(List<HasMetadata> all) {
        PodSpec pod = pod(all);
        Container container = container(all);
        assertTrue(pod.getSecurityContext().getRunAsNonRoot());
        assertEquals(
                "RuntimeDefault", pod.getSecurityContext().getSeccompProfile().getType());
        assertTrue(container.getSecurityContext().getReadOnlyRootFilesystem());
        assertFalse(container.getSecurityContext().getAllowPrivilegeEscalation());
        assertEquals(
                List.of("ALL"), container.getSecurityContext().getCapabilities().getDrop());
        assertNull(container.getSecurityContext().getPrivileged());

        TreeSet<String> mounted = new TreeSet<>(mountPaths(container).keySet());
        TreeSet<String> there = new TreeSet<>();
        pod.getVolumes().forEach(volume -> there.add(volume.getName()));
        statefulSet(all)
                .getSpec()
                .getVolumeClaimTemplates()
                .forEach(claim -> there.add(claim.getMetadata().getName()));
        assertEquals(there, mounted);
        for (HasMetadata each : all) {
            if (each instanceof Service service) {
                assertEquals(
                        service.getSpec().getSelector(),
                        statefulSet(all).getSpec().getSelector().getMatchLabels());
            }
        }
    }

    /** What Dunlin makes of the environment, that of the image included; unknown variables would be warned of. */
    private static String configuration(Container container) {
        Map<String, String> environment =
                new LinkedHashMap<>(Map.of("DUNLIN_LISTENERS_0_BIND", "0.0.0.0", "DUNLIN_STORAGE_PATH", "/data"));
        for (EnvVar variable : container.getEnv()) {
            environment.put(variable.getName(), variable.getValue());
        }
        Command shown = Command.run(
                environment,
                List.of(RunningBroker.java(), "-jar", RunningBroker.jar().toString(), "config", "show"));
        String text = shown.expectSuccess("config show with " + environment);
        assertFalse(text.toLowerCase(Locale.ROOT).contains("warn"), text);
        return text;
    }

    private static String refused(String... values) {
        return String.valueOf(assertThrows(IllegalStateException.class, () -> template(values))
                .getMessage());
    }

    private static String template(String... values) {
        TemplateCommand command = new Helm(CHART).template().withName("test");
        for (String value : values) {
            int at = value.indexOf('=');
            command.set(value.substring(0, at), value.substring(at + 1));
        }
        return command.call();
    }

    /** As the types of Kubernetes have it; a field that they do not know is a fault. */
    private static List<HasMetadata> render(String... values) {
        JsonMapper mapper = new JsonMapper();
        List<HasMetadata> found = new ArrayList<>();
        for (Object document : new Load(LoadSettings.builder().build()).loadAllFromString(template(values))) {
            Map<?, ?> fields = (Map<?, ?>) document;
            if (fields == null) {
                continue;
            }
            Class<? extends HasMetadata> type =
                    "Service".equals(fields.get("kind")) ? Service.class : StatefulSet.class;
            HasMetadata typed = mapper.convertValue(fields, type);
            assertEquals(fields.get("kind"), typed.getKind());
            assertFalse(UNKNOWN.matcher(typed.toString()).find(), typed::toString);
            found.add(typed);
        }
        return found;
    }

    private static StatefulSet statefulSet(List<HasMetadata> all) {
        return all.stream()
                .filter(StatefulSet.class::isInstance)
                .map(StatefulSet.class::cast)
                .findFirst()
                .orElseThrow();
    }

    private static PodSpec pod(List<HasMetadata> all) {
        return statefulSet(all).getSpec().getTemplate().getSpec();
    }

    private static Container container(List<HasMetadata> all) {
        return pod(all).getContainers().get(0);
    }

    private static Map<String, String> mountPaths(Container container) {
        Map<String, String> paths = new LinkedHashMap<>();
        container.getVolumeMounts().forEach(mount -> paths.put(mount.getName(), mount.getMountPath()));
        return paths;
    }

    /** Those of the service that clients use, each of which has to lead to one of the container. */
    private static List<Integer> ports(List<HasMetadata> all) {
        List<String> inside = new ArrayList<>();
        container(all).getPorts().forEach(port -> inside.add(port.getName()));
        List<Integer> ports = new ArrayList<>();
        for (HasMetadata each : all) {
            if (each instanceof Service service
                    && !"None".equals(service.getSpec().getClusterIP())) {
                service.getSpec().getPorts().forEach(port -> {
                    assertTrue(inside.contains(port.getTargetPort().getStrVal()), service::toString);
                    ports.add(port.getPort());
                });
            }
        }
        return ports;
    }
}
