package org.dunlin.server.acl;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.dunlin.server.config.Quote;
import org.jspecify.annotations.Nullable;

/**
 * Why an ACL file allows something or does not, for people. Any thread.
 *
 * @param allowed as the broker would answer
 * @param lines the answer, the rule that decides, and what else there is to know
 */
public record Explanation(boolean allowed, List<String> lines) {
    /** Rules named of each kind. */
    private static final int SHOWN = 5;

    public Explanation {
        lines = List.copyOf(lines);
    }

    /**
     * What is asked.
     *
     * @param groups that a token names
     * @param topic a topic name; to subscribe, a topic filter
     * @param qos of the message or subscription; nothing to receive
     * @param retain of the message
     */
    public record Question(
            String clientId,
            @Nullable String userName,
            Collection<String> groups,
            Action action,
            String topic,
            Qos qos,
            boolean retain) {
        /** What the rules are asked about: a share's filter, and a delayed message's topic. */
        String asked() {
            if (action == Action.SUBSCRIBE) {
                return TopicFilter.of(topic).pattern();
            }
            String[] parts = topic.split("/", 3);
            return action == Action.PUBLISH && parts.length == 3 && parts[0].equals("$delayed") ? parts[2] : topic;
        }

        /** @return what is wrong with the topic, completing "the topic ...", or null */
        public @Nullable String unfit() {
            return action == Action.SUBSCRIBE ? TopicFilter.fault(topic) : TopicName.fault(topic);
        }

        int permit() {
            return switch (action) {
                case PUBLISH -> Permits.publish(qos, retain);
                case SUBSCRIBE -> Permits.subscribe(qos);
                case RECEIVE -> Permits.RECEIVE;
            };
        }

        private String inWords() {
            String user = userName == null ? "a client without a user name" : "user " + Quote.of(userName);
            return user + ", client identifier " + Quote.of(clientId) + ": "
                    + switch (action) {
                        case PUBLISH ->
                            "publish to " + Quote.of(topic) + " with QoS " + qos.value()
                                    + (retain ? " and RETAIN" : "");
                        case SUBSCRIBE -> "subscribe to " + Quote.of(topic) + " with QoS " + qos.value();
                        case RECEIVE -> "receive " + Quote.of(topic);
                    };
        }
    }

    /** @throws IllegalArgumentException if the topic is {@link Question#unfit} */
    public static Explanation of(AclFile file, Question question) {
        return new Telling(file, question).tell();
    }

    /** Puts one together. */
    private static final class Telling {
        private final AclFile file;
        private final Question question;
        private final AclRights rights;
        private final String[] asked;
        private final List<String> lines = new ArrayList<>();

        Telling(AclFile file, Question question) {
            this.file = file;
            this.question = question;
            this.rights =
                    file.rights(question.clientId(), question.userName(), TokenRights.of(null, question.groups()));
            this.asked = Filters.levels(question.asked());
        }

        Explanation tell() {
            String refusal = refusal();
            lines.add((refusal == null ? "allowed: " : "denied: ") + question.inWords());
            Rule rule = rights.first(refusal != null, question.permit(), asked);
            if (rule != null) {
                lines.add("decided by " + at(rule));
            } else if (refusal != null) {
                lines.add("decided by no rule: " + refusal);
            }
            addOthers(refusal != null, rule);
            addUnused();
            addLookedAt();
            return new Explanation(refusal == null, lines);
        }

        private @Nullable String refusal() {
            String topic = question.asked();
            return switch (question.action()) {
                case PUBLISH -> rights.refusesPublish(TopicName.of(topic), question.qos(), question.retain());
                case SUBSCRIBE -> rights.refusesSubscribe(TopicFilter.of(topic), question.qos());
                case RECEIVE ->
                    rights.mayReceive(TopicName.of(topic))
                            ? null
                            : "no rule of " + file.shortName() + " allows to receive it";
            };
        }

        private String at(Rule rule) {
            return file.path() + ":" + rule.line() + ": " + Quote.of(rule.text());
        }

        /** Rules that speak of the same topics. */
        private void addOthers(boolean refused, @Nullable Rule decided) {
            List<String> outdone = new ArrayList<>();
            List<String> parts = new ArrayList<>();
            List<String> holes = new ArrayList<>();
            int any = Permits.of(question.action());
            for (Section section : rights.sections()) {
                for (Rule rule : section.rules()) {
                    String[] filter = filled(rule);
                    if (rule == decided || filter == null || !Filters.meet(filter, asked)) {
                        continue;
                    }
                    if (!rule.deny() && refused && rule.concerns(any)) {
                        (Filters.covers(filter, asked) ? outdone : parts).add(at(rule));
                    } else if (rule.deny()
                            && !refused
                            && question.action() == Action.SUBSCRIBE
                            && rule.concerns(Permits.RECEIVE)) {
                        holes.add(at(rule));
                    }
                }
            }
            add(decided == null ? "allowed with other limits only by " : "a denial wins over ", outdone);
            add("only part of the filter is allowed by ", parts);
            add("not everything will be delivered, because of ", holes);
        }

        private void add(String what, List<String> rules) {
            rules.stream().limit(SHOWN).forEach(rule -> lines.add(what + rule));
            if (rules.size() > SHOWN) {
                lines.add(what + (rules.size() - SHOWN) + " more");
            }
        }

        /** The filter with names in their places, or null if it is not used. */
        private String @Nullable [] filled(Rule rule) {
            String[] levels = Filters.levels(rule.filter());
            if (rule.kind() != Rule.Kind.PATTERN) {
                return levels;
            }
            if (AclRights.unused(rule, rights.names()) != null) {
                return null;
            }
            for (int i = 0; i < levels.length; i++) {
                Template template = Template.of(levels[i], i == 0);
                levels[i] = template == null ? levels[i] : template.fill(rights.names());
            }
            return levels;
        }

        private void addUnused() {
            List<String> unused = new ArrayList<>();
            for (Rule rule : file.patterns().rules()) {
                String reason = AclRights.unused(rule, rights.names());
                if (reason != null && rule.concerns(Permits.of(question.action()))) {
                    boolean absent = question.userName() == null;
                    String how = rule.deny() && !absent ? "not filled in, denies all it could mean: " : "not used: ";
                    unused.add(how + at(rule) + ", since " + reason);
                }
            }
            add("pattern ", unused);
        }

        private void addLookedAt() {
            List<String> looked = new ArrayList<>();
            for (Section section : rights.sections()) {
                looked.add(section.rules().size() + " of " + Quote.of(section.name()));
            }
            lines.add("rules that count for it: " + (looked.isEmpty() ? "none" : String.join(", ", looked)));
            String userName = question.userName();
            if (userName != null && !file.names(userName)) {
                lines.add(file.path() + " does not name user " + Quote.of(userName));
            }
            for (String group : new TreeSet<>(question.groups())) {
                if (!file.groupNames().contains(group)) {
                    lines.add(file.path() + " has no group " + Quote.of(group));
                }
            }
        }
    }
}
