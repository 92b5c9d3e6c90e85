package org.dunlin.architecture;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who may depend on whom, as docs/architecture.md says it. */
class ArchitectureTest {
    private static final JavaClasses MAIN = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPaths(List.of(
                    classesOf("broker-codec"),
                    classesOf("broker-core"),
                    classesOf("broker-persistence"),
                    classesOf("broker-server")));

    private static Path classesOf(String module) {
        return SourceTree.ROOT.resolve(module).resolve("target/classes");
    }

    @Test
    void countedBuffers_areInTheCodecAndTheTransportOnly() {
        noClasses()
                .that()
                .resideOutsideOfPackages("org.dunlin.mqtt.codec..", "org.dunlin.server.net..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.netty.buffer..")
                .check(MAIN);
    }

    @Test
    void channels_areInTheTransportOnly() {
        noClasses()
                .that()
                .resideOutsideOfPackages("org.dunlin.server.net..", "org.dunlin.server.cli..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.netty.channel..", "io.netty.handler..", "io.netty.bootstrap..")
                .check(MAIN);
    }

    @Test
    void coreAndPersistence_areFreeOfNetty() {
        noClasses()
                .that()
                .resideInAnyPackage("org.dunlin.core..", "org.dunlin.persistence..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.netty..")
                .check(MAIN);
    }

    @Test
    void theCore_knowsNothingOfThoseThatPlugIn() {
        onlyMayUse("org.dunlin.core..", "org.dunlin.core..", "org.dunlin.mqtt", "org.dunlin.mqtt.codec..");
        onlyMayUse("org.dunlin.mqtt..", "org.dunlin.mqtt..");
        noClasses()
                .that()
                .resideInAPackage("org.dunlin.mqtt")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.dunlin.mqtt.codec..")
                .check(MAIN);
    }

    @Test
    void insideTheCore_itGoesFromClientToSessionToRoutingToSpi() {
        String figures = "org.dunlin.core.figures..";
        String limits = "org.dunlin.core.limits..";
        String spi = "org.dunlin.core.spi..";
        String routing = "org.dunlin.core.routing..";
        String session = "org.dunlin.core.session..";
        String inspect = "org.dunlin.core.inspect..";
        onlyMayUse(figures, figures);
        onlyMayUse(limits, limits, "org.dunlin.mqtt..");
        onlyMayUse(spi, spi, figures, "org.dunlin.mqtt..");
        onlyMayUse(routing, routing, spi, limits, "org.dunlin.mqtt..");
        onlyMayUse(inspect, inspect, "org.dunlin.mqtt..");
        onlyMayUse(session, session, routing, spi, limits, figures, inspect, "org.dunlin.mqtt..");
        onlyMayUse(
                "org.dunlin.core.client..",
                "org.dunlin.core.client..",
                session,
                routing,
                spi,
                limits,
                "org.dunlin.mqtt..");
    }

    @Test
    void packages_haveNoCycles() {
        slices().matching("org.dunlin.core.(*)..").should().beFreeOfCycles().check(MAIN);
        slices().matching("org.dunlin.server.(*)..").should().beFreeOfCycles().check(MAIN);
    }

    @Test
    void names_sayWhatAClassIs() {
        noClasses()
                .should()
                .haveSimpleNameEndingWith("Impl")
                .orShould()
                .haveNameMatching(".*(Util|Utils|Manager|Helper|Helpers)")
                .orShould()
                .haveNameMatching(".*[.$]Abstract[A-Z].*")
                .check(MAIN);
        noClasses()
                .should()
                .resideInAnyPackage("..util..", "..impl..", "..common..", "..service..", "..handler..", "..manager..")
                .check(MAIN);
    }

    @Test
    void methodsOfClientsAndSessions_areNotSynchronized() {
        noMethods()
                .that()
                .areDeclaredInClassesThat()
                .resideInAnyPackage("org.dunlin.core.client..", "org.dunlin.core.session..")
                .should()
                .haveModifier(JavaModifier.SYNCHRONIZED)
                .check(MAIN);
    }

    /** Of our own packages. */
    private static void onlyMayUse(String user, String... used) {
        classes()
                .that()
                .resideInAPackage(user)
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(used).or(resideOutsideOfPackage("org.dunlin..")))
                .check(MAIN);
    }
}
