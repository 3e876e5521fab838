"""What the demonstration's cases are about, as text. `{site}`, `{device}`, `{user}` and `{count}` are filled in."""

from __future__ import annotations

from dataclasses import dataclass

from cases.enums import Affected, Impact, Severity


@dataclass(frozen=True)
class Subject:
    """An issue from the first call to its solution, in the words of the people who take part."""

    severity: Severity
    title: str
    description: str
    first_word: str  # what the customer is told first
    finding: str  # the technician's first note
    update: str  # the first status update to the customer
    question: str
    answer: str
    solution: str
    kind: str = "SRV"  # how the name of such a machine goes on after its site
    device: str = "{device}"
    operating_system: str = ""
    system: str = ""
    affected: str = ""
    impact: str = ""


_C, _H, _M, _L = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW

CRITICAL = (
    Subject(
        _C,
        "{site} is cut off: both WAN lines down",
        "Nobody at {site} reaches anything outside the building since about half an hour. Phones over IP are dead as "
        "well. {count} people stand still. Both lights on {device} are red.",
        "I see both uplinks of {device} down from our side too. I am with the carrier now and call you back within "
        "the half hour.",
        "Primary and backup tunnel went down in the same second: not the carrier, the edge router itself. Last "
        "configuration change was pushed the evening before.",
        "The backup line carries mail and phones again. The primary is still down; we are comparing the configuration "
        "of {device} with the one from last week.",
        "Could somebody on site power-cycle {device} and send us a photo of the status lights five minutes later?",
        "Done. All lights are green but WAN 1, which blinks amber twice a second.",
        "A route filter in last night's change dropped the default route on both uplinks. The change was rolled back "
        "and the filter corrected; both lines have been stable since.",
        kind="GW",
        operating_system="EdgeOS 4.18",
        system="Two carriers, BGP, configuration pushed from the central console",
        affected=Affected.EVERYBODY,
        impact=Impact.CATASTROPHIC,
    ),
    Subject(
        _C,
        "Single sign-on refuses everybody",
        "Since this morning nobody can sign in to anything that goes through single sign-on: mail, ERP, intranet. "
        "The page says “Your session could not be established”. About {count} people at all sites.",
        "We can reproduce it with our test account. It is the identity provider, not your directory. I have the "
        "platform team on the line.",
        "Token signing certificate was renewed automatically; the service providers still trust the old one. "
        "Federation metadata was not republished.",
        "Mail and the intranet accept sign-ins again. ERP still holds the old certificate; its administrators are "
        "importing the new one.",
        "Please try to sign in to the ERP from two different offices and tell us whether both get in.",
        "{site} gets in now. The other office still sees the error in one browser out of three.",
        "The renewed signing certificate was published to all service providers and the metadata refresh was set to "
        "hourly, so that the next renewal is picked up by itself.",
        device="Identity provider",
        operating_system="Hosted",
        system="SAML, 14 service providers, directory synchronised every 30 minutes",
        affected=Affected.EVERYBODY,
        impact=Impact.MAJOR,
    ),
    Subject(
        _C,
        "ERP database cluster does not come up after maintenance",
        "After last night's maintenance window the ERP database stays in recovery. No orders can be entered or "
        "shipped at any site. The node {device} reports “waiting for quorum”.",
        "I have the cluster log open. Please leave all nodes as they are, above all do not restart the second one.",
        "Node 2 and 3 disagree about the last committed transaction. Storage snapshot from 01:40 is complete, "
        "so there is a way back without losing orders.",
        "Two of three nodes agree again and replay the log; we expect the database to open within the next hours. "
        "No data is lost as far as we can see.",
        "May we open the database with two nodes and rebuild the third tonight? Orders can then be entered at once.",
        "Yes, please go ahead. Our operations lead agreed on the phone.",
        "The quorum disk had been remapped during maintenance. It was mapped back, the log replayed and the third "
        "node rebuilt from the snapshot; the maintenance checklist now has the mapping on it.",
        kind="DB",
        operating_system="Oracle Linux 9.4",
        system="Three nodes, synchronous replication, 2.1 TB",
        affected=Affected.EVERYBODY,
        impact=Impact.CATASTROPHIC,
    ),
    Subject(
        _C,
        "Ransom note on file servers at {site}",
        "Users at {site} find files with the ending .locked and a text file asking for money. We pulled the network "
        "cable of {device}. Work at the whole site is stopped.",
        "Good that it is off the network; leave it powered on. We isolate the segment from our side now and start the "
        "incident procedure.",
        "One service account wrote all the files, from one workstation, within half an hour. Off-site backup of "
        "23:00 is intact and not reachable from that account.",
        "The segment is isolated, the account is disabled and the backup of last night is verified. We restore the "
        "departments in the order you gave us.",
        "Which share should be restored first? Please also confirm that nobody at the site uses the old drive letter.",
        "Dispatch first, then accounting. We have told everybody and unplugged the two scanners.",
        "All shares were restored from the backup of 23:00, the workstation was rebuilt and the service account "
        "replaced by one that can write to a single folder.",
        operating_system="Windows Server 2022",
        system="File cluster, 3.4 TB, nightly off-site backup",
        affected=Affected.EVERYBODY,
        impact=Impact.CATASTROPHIC,
    ),
    Subject(
        _C,
        "Call centre cannot take calls: SIP trunk rejected",
        "Callers hear a busy tone, agents see “service unavailable”. No customer of ours gets through. Started at the "
        "top of the hour, {count} agents at {site} are waiting.",
        "Our probe gets a 503 from the provider's border controller as well. I have raised it with them at their "
        "highest priority and stay on it.",
        "Provider answers 503 for our trunk group only. Registration is fine. Looks like the channel limit was reset "
        "to zero in their migration.",
        "Half of the channels are back and calls get through again. The provider restores the rest step by step.",
        "Please have five agents log in and take a call each; we watch the trunk while they do.",
        "All five took calls, but two heard the caller only after three seconds.",
        "The provider had lost the channel limit of the trunk in a migration. It was restored and is now watched: we "
        "are alarmed when free channels fall below ten.",
        kind="SBC",
        operating_system="Session border controller 9.2",
        system="120 channels, two trunk groups",
        affected=Affected.EVERYBODY,
        impact=Impact.MAJOR,
    ),
)

HIGH = (
    Subject(
        _H,
        "VPN drops every few minutes for home workers",
        "About {count} home workers lose the VPN every four to six minutes. It reconnects by itself, but remote "
        "desktops and calls are torn down each time.",
        "I see the disconnects in the gateway's log and have collected three samples. Working on it now.",
        "All disconnects at the rekey interval, clients on version 6.1 only. 5.9 stays up.",
        "Clients of version 6.1 lose the tunnel when the key is renewed. As a workaround we have lengthened the "
        "interval to eight hours; please have users reconnect once.",
        "Please send us the client log of one user, from just before to just after a drop.",
        "Attached in our reply: the log of {user}, three drops in it.",
        "The gateway was brought to the release that renews keys correctly with client 6.1, and the interval was set "
        "back to one hour.",
        kind="GW",
        operating_system="Windows 11 23H2",
        system="VPN client 6.1.3, split tunnel off",
        affected=Affected.MANY,
        impact=Impact.MAJOR,
    ),
    Subject(
        _H,
        "Mail to outside is delayed by hours",
        "Mail inside the company arrives at once, mail to customers takes three to five hours since yesterday. Some "
        "come back with “temporarily deferred”.",
        "Your outgoing queue holds a good {count} messages. I am looking at why the big providers defer us.",
        "Reputation: a scanner at {site} sent 40,000 test pages by mail on Sunday. Sending address is on two lists.",
        "We send through a second address meanwhile: new mail goes out within minutes. The old queue empties slowly.",
        "Can you confirm that the scanner {device} is switched off or no longer sends mail?",
        "It is off, and the vendor will set a limit before it goes back on.",
        "The address was taken off both lists and each device may now send at most 200 messages an hour.",
        kind="SCN",
        operating_system="Hosted mail gateway",
        system="One outgoing address, SPF and DKIM in place",
        affected=Affected.MANY,
        impact=Impact.SIGNIFICANT,
    ),
    Subject(
        _H,
        "Warehouse scanners lose Wi-Fi at {site}",
        "The handheld scanners in aisles 4 to 11 lose the wireless network when a forklift passes the corner. Pickers "
        "walk back to the dock to send their lists. {count} scanners.",
        "I see the roaming failures of your scanners on the controller. Please keep two of them in the bad aisles for "
        "a test this afternoon.",
        "Scanners cling to AP 7 down to -84 dBm; fast transition is off on that controller group only.",
        "We have switched fast transition on for half of the aisles. There, no scanner was lost in the last hours.",
        "May we restart the access points of the other aisles during a break? It takes four minutes.",
        "Yes, tomorrow during the early break, please ring the shift lead before.",
        "Fast transition was switched on for the whole warehouse and the minimum signal raised, so that scanners "
        "change over sooner.",
        kind="WLC",
        operating_system="Android 11",
        system="Wireless controller 8.10, 22 access points",
        affected=Affected.MANY,
        impact=Impact.MAJOR,
    ),
    Subject(
        _H,
        "Nightly backup has failed three times in a row",
        "The backup of {device} ends after two hours with “snapshot could not be consolidated”. The last good one is "
        "four days old, and the auditors come next week.",
        "I have the job log. First we make a full copy to the second repository, so that you are covered tonight.",
        "Orphaned snapshot chain on two virtual machines, data store at 94 %. Consolidation needs room first.",
        "A full copy to the second repository is complete and verified. Tonight we consolidate the old snapshots.",
        "Can you free or add about 600 GB on the data store, or may we move the test machines elsewhere?",
        "Please move the test machines to the old array, their owners agree.",
        "The snapshot chains were consolidated after the test machines had been moved; three nights of good backups "
        "and one test restore since.",
        operating_system="Hypervisor 8.0 U2",
        system="38 virtual machines, two repositories",
        affected=Affected.SOME,
        impact=Impact.MAJOR,
    ),
    Subject(
        _H,
        "Web shop certificate expires and cannot be renewed",
        "Renewal of the certificate on {device} fails since last week, browsers will warn our customers in a few "
        "days. The error says “CAA record forbids issuance”.",
        "Thanks for not waiting until the last day. I check who may issue for your domain and come back to you today.",
        "CAA was tightened in spring and names the old authority only. Change needs the DNS provider's second factor, "
        "held by a colleague on leave.",
        "As a bridge we have prepared a certificate of the old authority that covers the next 30 days.",
        "Who at your side can confirm a DNS change besides the colleague on leave? We need one more person.",
        "Our infrastructure lead can; she is reachable in the afternoon.",
        "The CAA record now names both authorities, the certificate was renewed, and renewal is tested every week.",
        kind="WEB",
        operating_system="Debian 12",
        system="Reverse proxy, ACME client 2.9",
        affected=Affected.MANY,
        impact=Impact.SIGNIFICANT,
    ),
    Subject(
        _H,
        "ERP screens take up to forty seconds",
        "Since the update of the weekend every screen in purchasing takes twenty to forty seconds. About {count} "
        "people in purchasing and planning at {site} work on paper meanwhile.",
        "I watch the database while your buyers work. Please go on as usual for the next ten minutes.",
        "One query without its index: the update rebuilt the table and left two indexes behind.",
        "Both missing indexes are being built online. Most screens are back below two seconds; lists still take five.",
        "Could two buyers try the supplier list now, and tell us the time it takes and their filters?",
        "Supplier list: three seconds. With the filter “open orders” still eleven.",
        "The indexes that the update had dropped were rebuilt, and a third one was added for open orders. Lists now "
        "open in under two seconds.",
        kind="DB",
        operating_system="Windows Server 2019",
        system="ERP 12.4, database 19c",
        affected=Affected.MANY,
        impact=Impact.MAJOR,
    ),
)

MEDIUM = (
    Subject(
        _M,
        "Label printer prints every second label empty",
        "The label printer {device} at {site} feeds one empty label after each printed one. It began after the new "
        "rolls. Two packing tables share it.",
        "Sounds like the gap sensor. I send you the calibration steps by mail and call again in an hour.",
        "Media type still set to black mark, new rolls have gaps.",
        "Calibration was started remotely. Please tell us whether the next ten labels come out right.",
        "Please print the configuration label (hold the feed button for five seconds) and send us a photo.",
        "Here it is. It says MEDIA: MARK, if that helps.",
        "Media type was set to gap and the printer calibrated; the setting is now part of the template.",
        kind="PRN",
        operating_system="Firmware V84.20",
        system="Print server, driver 8.6",
        affected=Affected.SOME,
        impact=Impact.MINOR,
    ),
    Subject(
        _M,
        "Shared calendar does not show on phones",
        "{count} colleagues of the planning team do not see the shared calendar on their phones since the last update "
        "of the mail app. On the PC everything is there.",
        "I can see the calendar with a test phone on the older app. I ask the vendor about the new version.",
        "App 4.24 hides calendars that were shared by a group. Known on the vendor's side, fix announced.",
        "The vendor confirms the fault in version 4.24. Until the fix, the calendar can be opened in the browser.",
        "Which version does the app show under Settings, About on two of the phones?",
        "4.24.1 on one, 4.23.0 on the other. The second one does show the calendar.",
        "Version 4.25 shows group calendars again; it was rolled out to the planning team.",
        device="Company phones",
        operating_system="iOS 18.1, Android 14",
        system="Mail app 4.24, managed devices",
        affected=Affected.SOME,
        impact=Impact.SIGNIFICANT,
    ),
    Subject(
        _M,
        "Network drive disappears after standby",
        "On some laptops drive S: is gone after standby and comes back only after signing out. Mostly in accounting, "
        "about {count} laptops.",
        "I have your list of laptops and compare their network drivers. You hear from me today.",
        "All affected laptops have the wireless driver of last month; the others are one version behind.",
        "We have put an older driver on three laptops; none has lost the drive since. If it holds, the rest follow.",
        "Is it correct that laptops in the docking station are not affected?",
        "Correct, only on Wi-Fi. {user} tried both ways twice.",
        "The wireless driver was replaced on all affected laptops; last month's version is out of the roll-out.",
        kind="NB",
        operating_system="Windows 11 24H2",
        system="Wireless driver 23.60",
        affected=Affected.SOME,
        impact=Impact.SIGNIFICANT,
    ),
    Subject(
        _M,
        "Video conferences without sound in room {count}",
        "In the meeting room at {site} the far side does not hear us. Screen and camera work. A restart helps for one "
        "meeting.",
        "I can reach the room system {device}. Please leave it switched on over lunch, I update the microphone unit.",
        "USB hub in the table goes to sleep and does not wake up with the room system.",
        "The microphone unit has new firmware. We leave the case open over the next meetings to see whether it holds.",
        "Could you tell us which of the two table outlets the microphone is plugged into?",
        "The left one, with the blue ring.",
        "Power saving of the table hub was switched off; ten meetings with sound since.",
        kind="VC",
        operating_system="RoomOS 11",
        system="Ceiling microphone, table hub",
        affected=Affected.SOME,
        impact=Impact.SIGNIFICANT,
    ),
    Subject(
        _M,
        "Monitoring reports disk errors on {device}",
        "Your monitoring mailed us a warning about disk 5 in {device} at {site}. Everything works, but we would like "
        "it replaced before it fails.",
        "I have the details of the disk and order a replacement. You get the delivery date by mail.",
        "Predictive failure, 212 reallocated sectors, rising. RAID 6, so there is time.",
        "The replacement disk is ordered and is expected at your site within two business days.",
        "When may a technician come to swap the disk? It takes twenty minutes, without downtime.",
        "Any morning before nine. Please announce the visit at reception.",
        "Disk 5 was replaced, the array rebuilt in nine hours, no further warnings.",
        kind="STO",
        operating_system="Storage OS 9.13",
        system="RAID 6, 12 disks",
        affected=Affected.NOBODY,
        impact=Impact.SIGNIFICANT,
    ),
    Subject(
        _M,
        "New laptops fail to enrol",
        "Of {count} new laptops for {site} only a handful finish the set-up, the others stop at “Preparing your device "
        "(2 of 3)”. New colleagues start on Monday.",
        "I see the failed enrolments. Please keep two of the laptops at that screen for me.",
        "The certificate profile is assigned to the old device group; new serial numbers fall into another one.",
        "The profile is assigned to the new group. Three laptops finished their set-up; please restart the others.",
        "Please send us the serial numbers of the laptops that still stop at step 2.",
        "Four serial numbers are in the list we have just sent.",
        "All laptops were put in the right group and enrolled; new serial numbers join it by themselves now.",
        kind="NB",
        operating_system="Windows 11 24H2",
        system="Device management, enrolment profile “Standard”",
        affected=Affected.SOME,
        impact=Impact.SIGNIFICANT,
    ),
    Subject(
        _M,
        "Report in the data warehouse is a day behind",
        "The morning sales report shows the day before yesterday. The load seems to end with a warning about {count} "
        "rows. Managers compare by hand meanwhile.",
        "I have the load log and see the rejected rows. I check with the people who own the source.",
        "Rejected rows have a currency code that the dimension table does not know. Load stops there on purpose.",
        "Yesterday's figures were loaded by hand. The rule that stopped the load is being corrected.",
        "Is “XTS” a real currency in your system, or a test entry that reached production?",
        "A test entry. Finance has deleted it.",
        "The test entries were deleted; rows with unknown currencies now go to a list and the load goes on.",
        device="Warehouse load job",
        operating_system="Red Hat Enterprise Linux 9",
        system="Load at 03:30, 14 sources",
        affected=Affected.SOME,
        impact=Impact.SIGNIFICANT,
    ),
)

LOW = (
    Subject(
        _L,
        "Second screen stays black on docking station",
        "{user} at {site} has a new docking station, and the second screen stays black. The first one works.",
        "Please swap the two cables once, and tell me which screen is black then.",
        "Dock firmware from the factory, known for the second port.",
        "There is new firmware for the docking station; we send the instructions by mail.",
        "Did the second screen come on after the firmware update?",
        "Yes, it is on. Will watch it over the next days.",
        "Firmware of the docking station was updated; both screens work.",
        kind="DOCK",
        operating_system="Windows 11 24H2",
        affected=Affected.ONE,
        impact=Impact.MINOR,
    ),
    Subject(
        _L,
        "How do we export the call statistics by month?",
        "Management wants the number of calls by month as a spreadsheet. We find the figures on the screen only.",
        "There is an export behind the three dots. I send you the steps and a sample.",
        "Export exists since release 7; role “Analyst” is needed, they have “Viewer”.",
        "Your colleague gets the role that is needed; the steps are in the mail of this morning.",
        "Does the sample we sent have the columns you need, or is something missing?",
        "Please add the waiting time, then it is perfect.",
        "Role granted, and a saved export “Calls by month” with waiting times was set up.",
        device="Telephony portal",
        operating_system="Hosted",
        affected=Affected.NOBODY,
        impact=Impact.MINOR,
    ),
    Subject(
        _L,
        "Office suite asks {user} to sign in every morning",
        "{user} has to sign in to the office suite every morning although “stay signed in” is ticked. Nobody else in "
        "the team has this.",
        "I look at the sign-in log of that account and come back to you.",
        "Cookies are cleared at sign-out by an old cleaning tool on that laptop.",
        "An old cleaning tool on the laptop seems to delete the sign-in. We would like to remove it.",
        "May we remove the tool “TidyPC” from the laptop {device}?",
        "Yes, it came from the previous owner of the laptop.",
        "The cleaning tool was removed; no sign-in was asked for in the last three mornings.",
        kind="NB",
        operating_system="Windows 10 22H2",
        affected=Affected.ONE,
        impact=Impact.MINOR,
    ),
    Subject(
        _L,
        "Request: add {count} users to the training portal",
        "Please add the users of the attached list to the training portal, with access to the safety course.",
        "Thank you, the list is complete. They will be in the portal by tomorrow.",
        "Licence count is enough. Two of the names exist already with another spelling.",
        "All but two users were added. For two names we need your word on the spelling.",
        "Are “M. Albrecht” and “Maria Albrecht” the same person?",
        "The same person. Please keep the long form.",
        "All users were added and have received their invitation.",
        device="Training portal",
        operating_system="Hosted",
        affected=Affected.NOBODY,
        impact=Impact.MINOR,
    ),
    Subject(
        _L,
        "Keyboard layout switches by itself",
        "On {device} the keyboard layout jumps to US English several times a day. {user} at {site} would like it to "
        "stay as it is.",
        "That is the shortcut Alt+Shift. I send you how to switch it off.",
        "Shortcut, and a second layout installed by the language pack.",
        "The second layout was removed remotely. Please tell us tomorrow whether it stayed away.",
        "Has the layout stayed as it should since yesterday?",
        "It has, thank you.",
        "The unwanted layout was removed and the shortcut switched off.",
        kind="NB",
        operating_system="Windows 11 23H2",
        affected=Affected.ONE,
        impact=Impact.MINOR,
    ),
    Subject(
        _L,
        "Which retention applies to deleted mailboxes?",
        "For our data protection officer: how long are the mailboxes of people who left kept, and who can open them?",
        "Good question; I get you the written answer of the platform team.",
        "Platform team: 30 days recoverable, then archive for the period in the contract. Wording to be agreed.",
        "The technical answer is there (30 days); we are checking the archive period in your contract.",
        "Is the officer asking for one person's mailbox, or in general?",
        "In general, for the yearly report.",
        "Answered in writing: 30 days recoverable by the help desk, then archived as the contract says.",
        device="Mail platform",
        operating_system="Hosted",
        affected=Affected.NOBODY,
        impact=Impact.MINOR,
    ),
)

JAPANESE = Subject(
    _H,
    "横浜ターミナルのハンディ端末が基幹システムに接続できない",
    "本日朝から横浜ターミナルの出荷エリアで、ハンディ端末{count}台のうち半数が基幹システムに接続できません。"
    "「認証サーバーに到達できません」と表示されます。端末の再起動では改善しません。",
    "お電話ありがとうございます。認証サーバーの記録を確認しております。30分以内に折り返しご連絡いたします。",
    "RADIUS secret differs on one of the two controllers since the exchange on Sunday. Half of the scanners use it.",
    "無線コントローラー1台の設定に誤りが見つかりました。現在、片方のコントローラーへ寄せて運用しており、出荷は再開できます。",
    "本日の出荷終了後に、コントローラーを再起動してもよろしいでしょうか。",
    "はい、18時以降であれば問題ありません。",
    "コントローラーの共有シークレットを修正し、全端末の接続を確認しました。",
    kind="HT",
    operating_system="Android 12",
    system="無線コントローラー2台、RADIUS認証",
    affected=Affected.MANY,
    impact=Impact.MAJOR,
)

GERMAN = Subject(
    _M,
    "Zeiterfassung: Terminal am Tor 2 nimmt keine Karten an",
    "Das Terminal {device} am Tor 2 piept bei jeder Karte dreimal und zeigt „unbekannt“. An den anderen Toren "
    "funktionieren dieselben Karten. Betroffen sind etwa {count} Kolleginnen und Kollegen der Frühschicht.",
    "Danke für den Anruf. Ich sehe, dass das Terminal seit Freitag keine Stammdaten mehr geladen hat, und melde mich "
    "heute noch.",
    "Terminal's clock was 11 hours off after the power cut, so its certificate is refused and master data stays old.",
    "Die Uhr des Terminals geht falsch, deshalb lädt es keine neuen Karten. Wir stellen sie aus der Ferne.",
    "Könnte jemand am Tor 2 das Terminal kurz stromlos machen und uns sagen, welche Uhrzeit es danach zeigt?",
    "Es zeigt jetzt die richtige Zeit, und die Karten gehen wieder.",
    "Die Uhr wird nun vom Zeitserver gestellt; alle Karten wurden geladen und geprüft.",
    kind="ZT",
    operating_system="Firmware 7.3",
    system="Zeitwirtschaft 10.2",
    affected=Affected.SOME,
    impact=Impact.SIGNIFICANT,
)

SUBJECTS = {Severity.CRITICAL: CRITICAL, Severity.HIGH: HIGH, Severity.MEDIUM: MEDIUM, Severity.LOW: LOW}

#: What is said to the customer when there is no more to say than that work goes on.
UPDATES = (
    "We have narrowed it down further and test a correction in our laboratory. You hear from us again as agreed.",
    "No change for your users since the last message; the workaround holds. We are waiting for the vendor's analysis.",
    "The vendor has confirmed what we found and is preparing a correction. We test it before it comes near you.",
    "Our test ran through without the fault. We repeat it under load before we change anything at your site.",
    "We have the logs of the last hours and compare them with those from before it began.",
    "A specialist of the manufacturer has joined. The next step is a trace at the moment it happens.",
    "The trace is in. It points to one component; we are preparing its exchange.",
    "Everything is prepared on our side; the change goes in at the next quiet moment that we agree with you.",
    "The first half of the change is in place and looks good. The second half follows.",
)
CALLS = (
    "Called with the state of things: work goes on, no new findings; the customer can live with the workaround.",
    "Called back: explained the next step and its risk, the customer agrees.",
    "Short call: the customer asks for an estimate; told them what it depends on and when we know more.",
)
NOTES = (
    "Compared with two similar cases: same symptom, other cause. Ruled out.",
    "Reproduced on the bench with the customer's configuration, three times out of four.",
    "Vendor ticket updated with trace and time line; answer promised within their next shift.",
    "Handover: everything is in the case, next step is the test under load.",
    "Status for management: cause is narrowed down, workaround holds, correction in test.",
    "Checked the logs of the other sites: nothing of the kind there.",
)
#: What an owner answers when they are asked for the status, and what of it the customer may read.
ANSWERS = (
    (
        "Cause found, correction in test; we know by tonight whether it holds.",
        "The cause is found, and a correction is in test.",
    ),
    ("Waiting for the vendor's analysis since this morning; chased twice, the workaround holds.", ""),
    (
        "Trace is in and points to one component; its exchange is planned for the next quiet moment.",
        "The exchange of a component is planned.",
    ),
    (
        "Reproduced in the laboratory; comparing with the configuration before the change.",
        "We have reproduced it in our laboratory.",
    ),
)
ACCOUNT_NOTES = (
    "Spoke to the customer's IT lead at the quarterly review: they follow this one closely.",
    "The renewal is due next month; please keep me posted on this case.",
)
RELAPSES = (
    "It is back, the same as before. It began about an hour ago.",
    "I am afraid it was not gone for good: two people report it again since this morning.",
)
THANKS = (
    "Thank you for the quick help, everything runs. Greetings to the team!",
    "Works well now, thanks again.",
)
LATE_ANSWERS = (
    "Sorry for the silence, I was away. The answer to your question is yes, and we still have the problem.",
    "We could not look at it earlier because of the stock-taking. It still happens; how do we go on?",
)
TURNED_AWAY = (
    "Password of the time sheet forgotten",
    "Would like a second screen",
    "Mail app asks for a code",
    "Cannot open an attachment",
    "Asks why the intranet looks different",
)
