BEGIN TRANSACTION;
CREATE TABLE agendas (
    no             INTEGER PRIMARY KEY,
    id             TEXT    NOT NULL UNIQUE,
    customer       TEXT    NOT NULL,
    insight        TEXT    NOT NULL,
    pool           TEXT    NOT NULL,
    title          TEXT,
    link           TEXT,
    workflow       TEXT,
    total          INTEGER NOT NULL,
    submitted_at   INTEGER NOT NULL,
    state          TEXT    NOT NULL DEFAULT 'ready',
    held           INTEGER NOT NULL DEFAULT 0,
    reason         TEXT,
    epoch          INTEGER NOT NULL DEFAULT 0,
    seq            INTEGER NOT NULL DEFAULT 0,
    percent        INTEGER NOT NULL DEFAULT 0,
    succeeded      INTEGER NOT NULL DEFAULT 0,
    queue_position INTEGER,
    lease_worker   TEXT,
    lease_instance TEXT,
    lease_request  TEXT,
    cancelling     INTEGER NOT NULL DEFAULT 0,
    started_at     INTEGER,
    ended_at       INTEGER,
    outputs        TEXT,
    failure        TEXT
, maximum_attempts INTEGER, lost INTEGER NOT NULL DEFAULT 0, interrupted INTEGER NOT NULL DEFAULT 0);
INSERT INTO "agendas" VALUES(1,'ag_01a22c0e8fd076e8a06cbf51b33f93bb','acme','fifo','default','ok 1.0.0',NULL,'{"name":"ok","version":"1.0.0","digest":"561da4eede4bf9d67e1feff1c5c191d8368b22bf15735baf41d76c41d9c191b2"}',6,1796035481553546,'succeeded',0,NULL,1,13,10000,5,NULL,NULL,NULL,NULL,0,1796035481641078,1796035481649298,X'42BBC40757253798ADFED1BF76F1DF418ADB5F7B9E19B99D218FA056800FA0B46686D5BB4F948A5BF853B09726F1F260D321492EBEFB3192BED3F38EA5D40452E4CAB3C539E9D7FBE4E0CE7A',NULL,NULL,0,0);
INSERT INTO "agendas" VALUES(2,'ag_01a22c0e9033754ca7bdde943a8bd17a','acme','default','default','bad',NULL,'{"name":"bad","digest":"839372aed25281c4fd6c4e3b37b92873bf9fa499510dd3cd58b22499f35eaeaa"}',2,1796035481652278,'failed',0,NULL,2,22,10000,0,NULL,NULL,NULL,NULL,0,1796035481664578,1796035485011892,NULL,'{"class":"user","code":"ExitCode","message":"the program exited with code 1","operation":"no","exit_code":1,"log_tail":["why"]}',NULL,0,0);
INSERT INTO "agendas" VALUES(3,'ag_01a22c0e9050711e897f56d20778b748','acme','default','default','long',NULL,'{"name":"long","digest":"1fafcd9a63507add3970eeb701195a276730fbea69bdbaebea62ff4f199170d7"}',1,1796035481683749,'cancelled',0,NULL,1,8,10000,0,NULL,NULL,NULL,NULL,0,1796035481695831,1796035483809263,NULL,NULL,NULL,0,0);
INSERT INTO "agendas" VALUES(4,'ag_01a22c0e906c7597a990cf8c1f12e531','beta','idle','idle','long',NULL,'{"name":"long","digest":"1fafcd9a63507add3970eeb701195a276730fbea69bdbaebea62ff4f199170d7"}',1,1796035481708636,'queued',0,NULL,0,2,0,0,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,0,0);
INSERT INTO "agendas" VALUES(5,'ag_01a22c0e907f75ccb77ce784e5021700','beta','idle','idle','long',NULL,'{"name":"long","digest":"1fafcd9a63507add3970eeb701195a276730fbea69bdbaebea62ff4f199170d7"}',1,1796035481727821,'queued',0,NULL,0,2,0,0,1,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,0,0);
INSERT INTO "agendas" VALUES(6,'ag_01a22c0e909276b8a0cc2941d5062b99','beta','idle','idle','long',NULL,'{"name":"long","digest":"1fafcd9a63507add3970eeb701195a276730fbea69bdbaebea62ff4f199170d7"}',1,1796035481747000,'ready',0,NULL,0,1,0,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,0,0);
INSERT INTO "agendas" VALUES(7,'ag_01a22c0e90a676f9bf22d8dd549aded1','gamma','idle','idle','long',NULL,'{"name":"long","digest":"1fafcd9a63507add3970eeb701195a276730fbea69bdbaebea62ff4f199170d7"}',1,1796035481766744,'ready',0,NULL,0,1,0,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,0,0);
INSERT INTO "agendas" VALUES(8,'ag_01a22c0e98cc72eaaf1032e1449c98ed','acme','fifo','default','ok 1.0.0',NULL,'{"name":"ok","version":"1.0.0","digest":"561da4eede4bf9d67e1feff1c5c191d8368b22bf15735baf41d76c41d9c191b2"}',6,1796035483853576,'succeeded',0,NULL,2,29,10000,6,NULL,NULL,NULL,NULL,0,1796035483857192,1796035484928301,X'42BBC40757253798A43348F4CCB448CE0D52095E570302AB11D05A3102F1688830D207653174EFB5787A03439AAC59DEAC5C82968E0CA0760AA0412396648D38D2CEE76FE23282D5F55AF617FE',NULL,NULL,0,0);
INSERT INTO "agendas" VALUES(9,'ag_01a22c0e98e2765eaebc161edd9a6a08','acme','default','default','long',NULL,'{"name":"long","digest":"1fafcd9a63507add3970eeb701195a276730fbea69bdbaebea62ff4f199170d7"}',1,1796035483875313,'executing',0,NULL,1,5,0,0,NULL,'dev','in_01a22c0e8b9c774e89642257c542f9e1','in_01a22c0e8b9c774e89642257c542f9e1-5',0,1796035483877720,NULL,NULL,NULL,NULL,0,0);
CREATE TABLE bodies (
    no         INTEGER PRIMARY KEY,
    body       TEXT NOT NULL,
    operations TEXT NOT NULL
, sealed INTEGER NOT NULL DEFAULT 0);
INSERT INTO "bodies" VALUES(1,X'42BBC4075725379889D8F218D66B419CF57A991B1FDACB24D75392CDA87C8C4CAEC90A99C7191255FFB86BEA11DB07E8F2A5E1D3221F58924B7EC569071B14C5DE0478F5DE1303A4C67293D7C7051DD486B22F78205DD7B33543E137918159E23DA45FBAA529F888A01FEEEA425DDE189D2813641A5422E7B5D7D2AD533325FB7DBB1B442CAB9DF0242E138223170733CB3DE1DAD8588A4330A57AEAEDA6EF144A59026D49DF3C30D04D1CB49E9ABAB139492810658DC2A6505F5287B060642B8A274977E27FD5AF82844B578EBDBAD255E664D8B2A69303E5B7F138193616560C187DA31E0D12A8705023C0DB2F9C1C4A8A59B3556F59851275731B1BC0BF1F403487BE9998E28CBF57B2107692C7744C7CBD94544C560866A2A546D4965BF5E799ABED74526513F28436FF39A0456479728DD709B185660EA005A3AF2AA1E5D784F6E4B95FBC3AE8DCF0C4DE13C160FDFD6504D7C7567C089FB478704DFAA15E3C7BBF46A1628314FBC4CE8B4EE2DE71D7C4E4A9D2C5D95B84DB8C5B252C5D6880DD82933AAC8361FF73B3F292D63E96E6F261E9D3BA5DF390AB851315B0B57180662919B480A330798D43DCCBB9EBCC3EFEFFEEA4EAA1027D3428A91B74E864BBE6E5E9257794C9458DE80B3D357187176122E0BCCC1CCE4B89E99EB79A1DA87B4F9ED8DECD60DEF375611A8C008726CB0B68DF7D9F95AD720EA4150FBE6DE365E7B3FB840BA63907D5A8B352DDD28F65716C331BE46C6B29DAD20EDEFB479411630F3733077343522B6F21F1204CAD2E32FAFB9298E5889801FBE970368420247DC4FB256AE5A75D7576100D2844B73EBC3A0571A009E083ACE6B3D82FAA805398B6EE77388719A51CD52DC13F557A7537507C93407873968442C4B7EF41220EF846BCAFE892716BDEBD7C88D7C20B2CE109C26DD65280C86E0C00F5E913794B34319DF8001BF40D7A77822D2DA87EAC3B198994D66319757BF98D3D3065DF01C4BE430C69F6A571B5D8795D6EE024364D94E5C8A87E25B1CAD8E7B7FA39908366B70CB4530103B8E82A1093DABC751D74796D2FFEEE2E7C683ACD77394871BB3C982ECBEE2E5382F298E94120A23A5F2F7B4348549AD871B838DC3E9C64D1253F4257AE05D2205993B497610393727327F27E68022745BE824CEDB01B2F1871B3024738567A9D52A76403991D1C5E70ADFDA8F64087D1BD5514758CE04052BB984DCDFC6F55B2EF090AA8883BDD0770B622FB520718CF08129BF1E3E2D5C6B64F3E140152217837CEB01B1D232C78D54E8EE08BB90162D2581D9961B9A6E279213FD089700163C345B1CFFADF025BB5A64DF1CA4A1BFCE2C4D4E24C9514DF532AF30FB75D7801956F2D2E54C349B0F82D0B71FEB48DB017594D382FE0863F23F831A51C91BA4030FA8F0104E0A53C1608F9E0011279D4405B1DF1639269B9A15289D7C15E97722FAA41E54191B9D09DDFA1155B5BCB748257E2CE21CE71ECB70E1BFBE01031336872D5C364FCCAD08E69CDAC9DE95F470EB0105C6AE6CC643BEFCD5BCFA7F50F56179FD9F1030F8286DF06E70A75D93D84CB776A20DDC4CBA59E96362649CF4B5BCF6AB118C76958DE0921ED182C15F439F0B4632A5C6D080CC192DC10A259C381765883CB762FBE7DBD079B735C7D87AA43A283523FB9CDC464924A4542C6CFF8C08467466C1A9E8B8073E7BB99F9E24AB9B256FD696CE38B47B0594FED04B52CD7291EA47386D0E6473964BF0EE519D12ADC9AA5922E6119DEA0E17547D207722A6C1C61C4D2172852B7DE5930613A7C6055C78CF3E06AB129CEE71252F6D2368AB39888F036','[["list","t.list"],["maybe","pop.transform"],["nth.each","pop.fanOut"],["say","t.say"]]',1);
INSERT INTO "bodies" VALUES(2,'{"id":"ag_01a22c0e9033754ca7bdde943a8bd17a","title":"bad","customerId":"acme","params":{"pop.types":{"t.no":{"command":["sh","-c","echo why >&2; test -e /nowhere/there"]}},"pop.workflow":{"name":"bad","digest":"839372aed25281c4fd6c4e3b37b92873bf9fa499510dd3cd58b22499f35eaeaa"}},"operations":[{"name":"no","type":"t.no","params":{"pop.retry":{"attempts":2,"backoff":"10ms..20ms"}}},{"name":"after","type":"pop.log","payload":{"message":"x"},"params":{"dependsOn":"no"}}]}','[["no","t.no"],["after","pop.log"]]',0);
INSERT INTO "bodies" VALUES(3,'{"id":"ag_01a22c0e9050711e897f56d20778b748","title":"long","customerId":"acme","params":{"pop.workflow":{"name":"long","digest":"1fafcd9a63507add3970eeb701195a276730fbea69bdbaebea62ff4f199170d7"}},"operations":[{"name":"wait","type":"pop.sleep","payload":{"seconds":600}}]}','[["wait","pop.sleep"]]',0);
INSERT INTO "bodies" VALUES(4,'{"id":"ag_01a22c0e906c7597a990cf8c1f12e531","title":"long","customerId":"beta","params":{"pop.workflow":{"name":"long","digest":"1fafcd9a63507add3970eeb701195a276730fbea69bdbaebea62ff4f199170d7"}},"operations":[{"name":"wait","type":"pop.sleep","payload":{"seconds":600}}]}','[["wait","pop.sleep"]]',0);
INSERT INTO "bodies" VALUES(5,'{"id":"ag_01a22c0e907f75ccb77ce784e5021700","title":"long","customerId":"beta","params":{"pop.workflow":{"name":"long","digest":"1fafcd9a63507add3970eeb701195a276730fbea69bdbaebea62ff4f199170d7"}},"operations":[{"name":"wait","type":"pop.sleep","payload":{"seconds":600}}]}','[["wait","pop.sleep"]]',0);
INSERT INTO "bodies" VALUES(6,'{"id":"ag_01a22c0e909276b8a0cc2941d5062b99","title":"long","customerId":"beta","params":{"pop.workflow":{"name":"long","digest":"1fafcd9a63507add3970eeb701195a276730fbea69bdbaebea62ff4f199170d7"}},"operations":[{"name":"wait","type":"pop.sleep","payload":{"seconds":600}}]}','[["wait","pop.sleep"]]',0);
INSERT INTO "bodies" VALUES(7,'{"id":"ag_01a22c0e90a676f9bf22d8dd549aded1","title":"long","customerId":"gamma","params":{"pop.workflow":{"name":"long","digest":"1fafcd9a63507add3970eeb701195a276730fbea69bdbaebea62ff4f199170d7"}},"operations":[{"name":"wait","type":"pop.sleep","payload":{"seconds":600}}]}','[["wait","pop.sleep"]]',0);
INSERT INTO "bodies" VALUES(8,X'42BBC4075725379850A1650747B081C004FE7185F693484D3CA4E7E07368E8B2817A56AA733EAC9348984A61DB472B0A24BC8EB25AA9B898532F7E552826B4E19DC96BDF2A94CA28222ABC09BE70C0CC6593717F783C8B7B3FA50FA8B19BDFCBE87F7855DC7F4593BF947206F9A609754B6C15E028FD396DF37CB031F015E93FEC26D71B617375DE32EBEBC2D537D3AC21773DE8859627E4197D4B98288C2261D74A7EC31E9D6DE36902A288515026C1BDB4AA4A12B4A2D3D1EAB57A6B8EF3294A083F3DF69AA62AC42774814A4A6FC4CA57C1754E8A1F01E7488660ED522D73214B3E64A7724A848FF2D338C643C339C3DA91FD11910A35703CB19656C447995278980B22F00A8D71389FA9BC755FB5BA7A2D407EA0C897EC0C29B2A3BC3B63C45952298A7CE4E582E7E8F3186DECB139A0BE16512FC43A59E77554501E42E563C03FBE581E02E954025623ABB5787662FB703D91BCF5ABFF2409BA3ACDBA4615A949204C9214E77F9297E7C1650427D35E9940A56E3EDF7D9B3FBA66FB351B4DB4597C5A68235FD090A14DBB3FCE5330EDFA52DEE0CB33F32F77698B7052069275CF5E2180BCF795452BDEC09F4DD2F0B36C00E87516EAF005D1D2760FEC5D3B4CE4696F1BAEBE3EA46DF3283C03B49E9B9A561AAD7D6A8C3AB894D838FB50A4B6C76BEBAA9C378A0E5E487E64E992F2C6EE4A1D68C13D40BEABFE2F53EE3AFB50CEDDA9AA1FF8D20C2C060DFB5E8A4A35726BC4E589216ECCCFB511A6175F0B0EDCBC881717A48F07C1A177537FFAF845371D499F6163F941A66414470BE1DAEBA1C10291CC7D0BC766A8EBB93A441C2C52E579B11F50ABBEBE1B71E008A10842975611D25C88E3705FCF08AA6A278B1FA9CA496F3F6F8749C932588CC479B6A835028D3D883C83A552EB59F7CFEC1ED50674AA28CB59FBC2CCA4BB5A8FEB9A8B45E3C678DA1D91B0463D6EC98933E51C7FFCCF0D69774F81B9C46C61C2A046B0AB24FE7A63A02C35F95DD56D130AF53FAC047F7A96E3E33C8DDE7DCE291BFC9B3AA1A15EBE33C16A34304945BCE1ACD613C7AFFAA22DF13A0803B00874D412AC4092C143B7E88514DB02352CD8136C6DB4F5A3620070BE0F8375A194E18F9C9C739675DBF361FE7939B061A37001029271D91DA9FF406C8DC39343066316FDA8FBC5A513B78F9946F51A0FB34789EEE83481B6E8C40732F44384D6A678C06BFB02B0A0FB7CBAAC93B34A0CF882CE2429D0B2CDCF4AEAC8F6A42348DE934EDFFFD1DDD8F5DBD63B2D78692EB663FB1B68EE71165C034A3A2F1EE2311B990FFF7829A2A5AC31F9D78E4F4A1BE5B47E53ABD108DB0EC4DA5FD9A3DE277F2B53DD1092915F303D9E8DD9081087C293AD9948F97B91C7CE382DFE094988954C55D3E6618EF0C1B8E2E5FD3DE97281A19DB81C22010179A72ABE0DE5DBFFB61DC0FDBCC155733407C9261ADB99F71671E7A8FDDB6AA2A93008C53DB47E227318E3252A41B7683DC6122CFFF36746C98A0BB43CBDDC3A61CBBB76A38B7E92A9B1F7016F1072294887484552F365C4BFFFA6E02AEC60F656A6300DAE6F7C92AB80106A64B444391D2A317E7170C7680E2D86310BB499570E8011554EB8C9FDF936820981FDC5DF1AF2E6D30019EA0EFFC7A6F463F402697A645A2CABBFE25EA438110D23C2BB7C51B285E55F73DDBC802B4CFBFAB6CD8B9D810919D68F5623102A8402E8B729E3ED662235B71B54A6F952B515EC35627DB6962B28015730CC3449D8D5FA0D941D015B64EA52B25E00704CD7A7E02622A290D813289899A4C35450AFE84FC69EBBAB2756ABEE6A03DE8683','[["list","t.list"],["maybe","pop.transform"],["nth.each","pop.fanOut"],["say","t.say"]]',1);
INSERT INTO "bodies" VALUES(9,'{"id":"ag_01a22c0e98e2765eaebc161edd9a6a08","title":"long","customerId":"acme","params":{"pop.workflow":{"name":"long","digest":"1fafcd9a63507add3970eeb701195a276730fbea69bdbaebea62ff4f199170d7"}},"operations":[{"name":"wait","type":"pop.sleep","payload":{"seconds":600}}]}','[["wait","pop.sleep"]]',0);
CREATE TABLE events (
    no   INTEGER NOT NULL,
    seq  INTEGER NOT NULL,
    body TEXT    NOT NULL,
    PRIMARY KEY (no, seq)
) WITHOUT ROWID;
INSERT INTO "events" VALUES(1,1,'{"seq":1,"at":"2026-11-30T10:44:41.553546Z","agenda":"ag_01a22c0e8fd076e8a06cbf51b33f93bb","state":"ready","percent":0.0}');
INSERT INTO "events" VALUES(1,2,'{"seq":2,"at":"2026-11-30T10:44:41.553546Z","agenda":"ag_01a22c0e8fd076e8a06cbf51b33f93bb","state":"queued","percent":0.0}');
INSERT INTO "events" VALUES(1,3,'{"seq":3,"at":"2026-11-30T10:44:41.619926Z","agenda":"ag_01a22c0e8fd076e8a06cbf51b33f93bb","state":"leased","percent":0.0}');
INSERT INTO "events" VALUES(1,4,'{"seq":4,"at":"2026-11-30T10:44:41.63343Z","agenda":"ag_01a22c0e8fd076e8a06cbf51b33f93bb","state":"leased","percent":25.0,"operation":{"name":"maybe","type":"pop.transform","state":"skipped","attempt":0,"percent":0.0,"message":"its condition was false","ended_at":"2026-11-30T10:44:41.628775Z"}}');
INSERT INTO "events" VALUES(1,5,'{"seq":5,"at":"2026-11-30T10:44:41.641078Z","agenda":"ag_01a22c0e8fd076e8a06cbf51b33f93bb","state":"executing","percent":50.0}');
INSERT INTO "events" VALUES(1,6,'{"seq":6,"at":"2026-11-30T10:44:41.641078Z","agenda":"ag_01a22c0e8fd076e8a06cbf51b33f93bb","state":"executing","percent":50.0,"operation":{"name":"list","type":"t.list","state":"succeeded","attempt":1,"percent":100.0,"started_at":"2026-11-30T10:44:41.634955Z","ended_at":"2026-11-30T10:44:41.635911Z"}}');
INSERT INTO "events" VALUES(1,7,'{"seq":7,"at":"2026-11-30T10:44:41.641078Z","agenda":"ag_01a22c0e8fd076e8a06cbf51b33f93bb","state":"executing","percent":50.0,"operation":{"name":"say","type":"t.say","state":"executing","attempt":1,"percent":0.0,"started_at":"2026-11-30T10:44:41.635278Z"}}');
INSERT INTO "events" VALUES(1,8,'{"seq":8,"at":"2026-11-30T10:44:41.644342Z","agenda":"ag_01a22c0e8fd076e8a06cbf51b33f93bb","state":"executing","percent":75.0,"operation":{"name":"say","type":"t.say","state":"succeeded","attempt":1,"percent":100.0,"started_at":"2026-11-30T10:44:41.635278Z","ended_at":"2026-11-30T10:44:41.641662Z"}}');
INSERT INTO "events" VALUES(1,9,'{"seq":9,"at":"2026-11-30T10:44:41.647894Z","agenda":"ag_01a22c0e8fd076e8a06cbf51b33f93bb","state":"executing","percent":66.66,"added":{"generator":"nth.each","operations":[{"name":"nth.0","type":"pop.transform"},{"name":"nth.1","type":"pop.transform"}]}}');
INSERT INTO "events" VALUES(1,10,'{"seq":10,"at":"2026-11-30T10:44:41.647894Z","agenda":"ag_01a22c0e8fd076e8a06cbf51b33f93bb","state":"executing","percent":66.66,"operation":{"name":"nth.each","type":"pop.fanOut","state":"succeeded","attempt":1,"percent":100.0,"started_at":"2026-11-30T10:44:41.644032Z","ended_at":"2026-11-30T10:44:41.644032Z"}}');
INSERT INTO "events" VALUES(1,11,'{"seq":11,"at":"2026-11-30T10:44:41.648687Z","agenda":"ag_01a22c0e8fd076e8a06cbf51b33f93bb","state":"executing","percent":83.33,"operation":{"name":"nth.0","type":"pop.transform","state":"succeeded","attempt":1,"percent":100.0,"started_at":"2026-11-30T10:44:41.648605Z","ended_at":"2026-11-30T10:44:41.648605Z"}}');
INSERT INTO "events" VALUES(1,12,'{"seq":12,"at":"2026-11-30T10:44:41.648687Z","agenda":"ag_01a22c0e8fd076e8a06cbf51b33f93bb","state":"executing","percent":100.0,"operation":{"name":"nth.1","type":"pop.transform","state":"succeeded","attempt":1,"percent":100.0,"started_at":"2026-11-30T10:44:41.648605Z","ended_at":"2026-11-30T10:44:41.648605Z"}}');
INSERT INTO "events" VALUES(1,13,'{"seq":13,"at":"2026-11-30T10:44:41.649298Z","agenda":"ag_01a22c0e8fd076e8a06cbf51b33f93bb","state":"succeeded","percent":100.0}');
INSERT INTO "events" VALUES(2,1,'{"seq":1,"at":"2026-11-30T10:44:41.652278Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"ready","percent":0.0}');
INSERT INTO "events" VALUES(2,2,'{"seq":2,"at":"2026-11-30T10:44:41.652278Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"queued","percent":0.0}');
INSERT INTO "events" VALUES(2,3,'{"seq":3,"at":"2026-11-30T10:44:41.656114Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"leased","percent":0.0}');
INSERT INTO "events" VALUES(2,4,'{"seq":4,"at":"2026-11-30T10:44:41.664578Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"executing","percent":0.0}');
INSERT INTO "events" VALUES(2,5,'{"seq":5,"at":"2026-11-30T10:44:41.664578Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"executing","percent":0.0,"operation":{"name":"no","type":"t.no","state":"executing","attempt":1,"percent":0.0,"started_at":"2026-11-30T10:44:41.664229Z"}}');
INSERT INTO "events" VALUES(2,6,'{"seq":6,"at":"2026-11-30T10:44:41.677665Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"executing","percent":0.0,"operation":{"name":"no","type":"t.no","state":"ready","attempt":1,"failures":1,"percent":0.0,"started_at":"2026-11-30T10:44:41.664229Z","failure":{"class":"user","code":"ExitCode","message":"the program exited with code 1","exit_code":1,"log_tail":["why"]}}}');
INSERT INTO "events" VALUES(2,7,'{"seq":7,"at":"2026-11-30T10:44:41.686153Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"executing","percent":0.0,"operation":{"name":"no","type":"t.no","state":"executing","attempt":2,"failures":1,"percent":0.0,"started_at":"2026-11-30T10:44:41.685254Z","failure":{"class":"user","code":"ExitCode","message":"the program exited with code 1","exit_code":1,"log_tail":["why"]}}}');
INSERT INTO "events" VALUES(2,8,'{"seq":8,"at":"2026-11-30T10:44:41.691805Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"executing","percent":50.0,"operation":{"name":"no","type":"t.no","state":"failed","attempt":2,"failures":2,"percent":0.0,"started_at":"2026-11-30T10:44:41.685254Z","ended_at":"2026-11-30T10:44:41.685951Z","failure":{"class":"user","code":"ExitCode","message":"the program exited with code 1","exit_code":1,"log_tail":["why"]}}}');
INSERT INTO "events" VALUES(2,9,'{"seq":9,"at":"2026-11-30T10:44:41.695831Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"executing","percent":100.0,"operation":{"name":"after","type":"pop.log","state":"skipped","attempt":0,"percent":0.0,"ended_at":"2026-11-30T10:44:41.695708Z","failure":{"class":"user","code":"DependencyFailed","message":"`no`, which it needs, failed"}}}');
INSERT INTO "events" VALUES(2,10,'{"seq":10,"at":"2026-11-30T10:44:41.695831Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"failed","percent":100.0}');
INSERT INTO "events" VALUES(2,11,'{"seq":11,"at":"2026-11-30T10:44:44.989372Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"ready","percent":0.0,"reason":"run again: what had not succeeded","again":{"reset":["no","after"],"removed":[]}}');
INSERT INTO "events" VALUES(2,12,'{"seq":12,"at":"2026-11-30T10:44:44.989372Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"ready","percent":0.0,"reason":"run again: what had not succeeded","operation":{"name":"after","type":"pop.log","state":"waiting","attempt":0,"percent":0.0}}');
INSERT INTO "events" VALUES(2,13,'{"seq":13,"at":"2026-11-30T10:44:44.989372Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"ready","percent":0.0,"reason":"run again: what had not succeeded","operation":{"name":"no","type":"t.no","state":"waiting","attempt":2,"percent":0.0}}');
INSERT INTO "events" VALUES(2,14,'{"seq":14,"at":"2026-11-30T10:44:44.989372Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"queued","percent":0.0}');
INSERT INTO "events" VALUES(2,15,'{"seq":15,"at":"2026-11-30T10:44:44.991255Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"leased","percent":0.0}');
INSERT INTO "events" VALUES(2,16,'{"seq":16,"at":"2026-11-30T10:44:44.995733Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"executing","percent":0.0}');
INSERT INTO "events" VALUES(2,17,'{"seq":17,"at":"2026-11-30T10:44:44.995733Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"executing","percent":0.0,"operation":{"name":"no","type":"t.no","state":"executing","attempt":3,"percent":0.0,"started_at":"2026-11-30T10:44:44.995655Z"}}');
INSERT INTO "events" VALUES(2,18,'{"seq":18,"at":"2026-11-30T10:44:44.996525Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"executing","percent":0.0,"operation":{"name":"no","type":"t.no","state":"ready","attempt":3,"failures":1,"percent":0.0,"started_at":"2026-11-30T10:44:44.995655Z","failure":{"class":"user","code":"ExitCode","message":"the program exited with code 1","exit_code":1,"log_tail":["why"]}}}');
INSERT INTO "events" VALUES(2,19,'{"seq":19,"at":"2026-11-30T10:44:45.010634Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"executing","percent":0.0,"operation":{"name":"no","type":"t.no","state":"executing","attempt":4,"failures":1,"percent":0.0,"started_at":"2026-11-30T10:44:45.01055Z","failure":{"class":"user","code":"ExitCode","message":"the program exited with code 1","exit_code":1,"log_tail":["why"]}}}');
INSERT INTO "events" VALUES(2,20,'{"seq":20,"at":"2026-11-30T10:44:45.011348Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"executing","percent":50.0,"operation":{"name":"no","type":"t.no","state":"failed","attempt":4,"failures":2,"percent":0.0,"started_at":"2026-11-30T10:44:45.01055Z","ended_at":"2026-11-30T10:44:45.011047Z","failure":{"class":"user","code":"ExitCode","message":"the program exited with code 1","exit_code":1,"log_tail":["why"]}}}');
INSERT INTO "events" VALUES(2,21,'{"seq":21,"at":"2026-11-30T10:44:45.011892Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"executing","percent":100.0,"operation":{"name":"after","type":"pop.log","state":"skipped","attempt":0,"percent":0.0,"ended_at":"2026-11-30T10:44:45.011805Z","failure":{"class":"user","code":"DependencyFailed","message":"`no`, which it needs, failed"}}}');
INSERT INTO "events" VALUES(2,22,'{"seq":22,"at":"2026-11-30T10:44:45.011892Z","agenda":"ag_01a22c0e9033754ca7bdde943a8bd17a","state":"failed","percent":100.0}');
INSERT INTO "events" VALUES(3,1,'{"seq":1,"at":"2026-11-30T10:44:41.683749Z","agenda":"ag_01a22c0e9050711e897f56d20778b748","state":"ready","percent":0.0}');
INSERT INTO "events" VALUES(3,2,'{"seq":2,"at":"2026-11-30T10:44:41.683749Z","agenda":"ag_01a22c0e9050711e897f56d20778b748","state":"queued","percent":0.0}');
INSERT INTO "events" VALUES(3,3,'{"seq":3,"at":"2026-11-30T10:44:41.686153Z","agenda":"ag_01a22c0e9050711e897f56d20778b748","state":"leased","percent":0.0}');
INSERT INTO "events" VALUES(3,4,'{"seq":4,"at":"2026-11-30T10:44:41.695831Z","agenda":"ag_01a22c0e9050711e897f56d20778b748","state":"executing","percent":0.0}');
INSERT INTO "events" VALUES(3,5,'{"seq":5,"at":"2026-11-30T10:44:41.695831Z","agenda":"ag_01a22c0e9050711e897f56d20778b748","state":"executing","percent":0.0,"operation":{"name":"wait","type":"pop.sleep","state":"executing","attempt":1,"percent":0.0,"started_at":"2026-11-30T10:44:41.69278Z"}}');
INSERT INTO "events" VALUES(3,6,'{"seq":6,"at":"2026-11-30T10:44:43.804963Z","agenda":"ag_01a22c0e9050711e897f56d20778b748","state":"executing","percent":0.0,"reason":"cancelling: waits for its pool to stop it"}');
INSERT INTO "events" VALUES(3,7,'{"seq":7,"at":"2026-11-30T10:44:43.809263Z","agenda":"ag_01a22c0e9050711e897f56d20778b748","state":"executing","percent":100.0,"reason":"cancelling: waits for its pool to stop it","operation":{"name":"wait","type":"pop.sleep","state":"cancelled","attempt":1,"percent":0.0,"started_at":"2026-11-30T10:44:41.69278Z","ended_at":"2026-11-30T10:44:43.809157Z"}}');
INSERT INTO "events" VALUES(3,8,'{"seq":8,"at":"2026-11-30T10:44:43.809263Z","agenda":"ag_01a22c0e9050711e897f56d20778b748","state":"cancelled","percent":100.0}');
INSERT INTO "events" VALUES(4,1,'{"seq":1,"at":"2026-11-30T10:44:41.708636Z","agenda":"ag_01a22c0e906c7597a990cf8c1f12e531","state":"ready","percent":0.0}');
INSERT INTO "events" VALUES(4,2,'{"seq":2,"at":"2026-11-30T10:44:41.708636Z","agenda":"ag_01a22c0e906c7597a990cf8c1f12e531","state":"queued","percent":0.0}');
INSERT INTO "events" VALUES(5,1,'{"seq":1,"at":"2026-11-30T10:44:41.727821Z","agenda":"ag_01a22c0e907f75ccb77ce784e5021700","state":"ready","percent":0.0}');
INSERT INTO "events" VALUES(5,2,'{"seq":2,"at":"2026-11-30T10:44:41.727821Z","agenda":"ag_01a22c0e907f75ccb77ce784e5021700","state":"queued","percent":0.0}');
INSERT INTO "events" VALUES(6,1,'{"seq":1,"at":"2026-11-30T10:44:41.747Z","agenda":"ag_01a22c0e909276b8a0cc2941d5062b99","state":"ready","percent":0.0}');
INSERT INTO "events" VALUES(7,1,'{"seq":1,"at":"2026-11-30T10:44:41.766744Z","agenda":"ag_01a22c0e90a676f9bf22d8dd549aded1","state":"ready","percent":0.0}');
INSERT INTO "events" VALUES(8,1,'{"seq":1,"at":"2026-11-30T10:44:43.853576Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"ready","percent":0.0}');
INSERT INTO "events" VALUES(8,2,'{"seq":2,"at":"2026-11-30T10:44:43.853576Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"queued","percent":0.0}');
INSERT INTO "events" VALUES(8,3,'{"seq":3,"at":"2026-11-30T10:44:43.855047Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"leased","percent":0.0}');
INSERT INTO "events" VALUES(8,4,'{"seq":4,"at":"2026-11-30T10:44:43.857192Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"executing","percent":25.0}');
INSERT INTO "events" VALUES(8,5,'{"seq":5,"at":"2026-11-30T10:44:43.857192Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"executing","percent":25.0,"operation":{"name":"maybe","type":"pop.transform","state":"succeeded","attempt":1,"percent":100.0,"started_at":"2026-11-30T10:44:43.856928Z","ended_at":"2026-11-30T10:44:43.856928Z"}}');
INSERT INTO "events" VALUES(8,6,'{"seq":6,"at":"2026-11-30T10:44:43.860775Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"executing","percent":50.0,"operation":{"name":"say","type":"t.say","state":"succeeded","attempt":1,"percent":100.0,"started_at":"2026-11-30T10:44:43.859588Z","ended_at":"2026-11-30T10:44:43.860588Z"}}');
INSERT INTO "events" VALUES(8,7,'{"seq":7,"at":"2026-11-30T10:44:43.860775Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"executing","percent":75.0,"operation":{"name":"list","type":"t.list","state":"succeeded","attempt":1,"percent":100.0,"started_at":"2026-11-30T10:44:43.85982Z","ended_at":"2026-11-30T10:44:43.860327Z"}}');
INSERT INTO "events" VALUES(8,8,'{"seq":8,"at":"2026-11-30T10:44:43.861421Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"executing","percent":75.0,"operation":{"name":"nth.each","type":"pop.fanOut","state":"executing","attempt":1,"percent":0.0,"started_at":"2026-11-30T10:44:43.861345Z"}}');
INSERT INTO "events" VALUES(8,9,'{"seq":9,"at":"2026-11-30T10:44:43.862088Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"executing","percent":66.66,"added":{"generator":"nth.each","operations":[{"name":"nth.0","type":"pop.transform"},{"name":"nth.1","type":"pop.transform"}]}}');
INSERT INTO "events" VALUES(8,10,'{"seq":10,"at":"2026-11-30T10:44:43.862088Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"executing","percent":66.66,"operation":{"name":"nth.each","type":"pop.fanOut","state":"succeeded","attempt":1,"percent":100.0,"started_at":"2026-11-30T10:44:43.861345Z","ended_at":"2026-11-30T10:44:43.861615Z"}}');
INSERT INTO "events" VALUES(8,11,'{"seq":11,"at":"2026-11-30T10:44:43.862813Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"executing","percent":83.33,"operation":{"name":"nth.0","type":"pop.transform","state":"succeeded","attempt":1,"percent":100.0,"started_at":"2026-11-30T10:44:43.862719Z","ended_at":"2026-11-30T10:44:43.862719Z"}}');
INSERT INTO "events" VALUES(8,12,'{"seq":12,"at":"2026-11-30T10:44:43.862813Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"executing","percent":100.0,"operation":{"name":"nth.1","type":"pop.transform","state":"succeeded","attempt":1,"percent":100.0,"started_at":"2026-11-30T10:44:43.862719Z","ended_at":"2026-11-30T10:44:43.862719Z"}}');
INSERT INTO "events" VALUES(8,13,'{"seq":13,"at":"2026-11-30T10:44:43.86346Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"succeeded","percent":100.0}');
INSERT INTO "events" VALUES(8,14,'{"seq":14,"at":"2026-11-30T10:44:44.917592Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"ready","percent":0.0,"reason":"run again: everything","again":{"reset":["list","maybe","nth.each","say"],"removed":["nth.0","nth.1"]}}');
INSERT INTO "events" VALUES(8,15,'{"seq":15,"at":"2026-11-30T10:44:44.917592Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"ready","percent":0.0,"reason":"run again: everything","operation":{"name":"list","type":"t.list","state":"waiting","attempt":1,"percent":0.0}}');
INSERT INTO "events" VALUES(8,16,'{"seq":16,"at":"2026-11-30T10:44:44.917592Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"ready","percent":0.0,"reason":"run again: everything","operation":{"name":"maybe","type":"pop.transform","state":"waiting","attempt":1,"percent":0.0}}');
INSERT INTO "events" VALUES(8,17,'{"seq":17,"at":"2026-11-30T10:44:44.917592Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"ready","percent":0.0,"reason":"run again: everything","operation":{"name":"nth.each","type":"pop.fanOut","state":"waiting","attempt":1,"percent":0.0}}');
INSERT INTO "events" VALUES(8,18,'{"seq":18,"at":"2026-11-30T10:44:44.917592Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"ready","percent":0.0,"reason":"run again: everything","operation":{"name":"say","type":"t.say","state":"waiting","attempt":1,"percent":0.0}}');
INSERT INTO "events" VALUES(8,19,'{"seq":19,"at":"2026-11-30T10:44:44.917592Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"queued","percent":0.0}');
INSERT INTO "events" VALUES(8,20,'{"seq":20,"at":"2026-11-30T10:44:44.919752Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"leased","percent":0.0}');
INSERT INTO "events" VALUES(8,21,'{"seq":21,"at":"2026-11-30T10:44:44.923551Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"executing","percent":25.0}');
INSERT INTO "events" VALUES(8,22,'{"seq":22,"at":"2026-11-30T10:44:44.923551Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"executing","percent":25.0,"operation":{"name":"maybe","type":"pop.transform","state":"succeeded","attempt":2,"percent":100.0,"started_at":"2026-11-30T10:44:44.922944Z","ended_at":"2026-11-30T10:44:44.922944Z"}}');
INSERT INTO "events" VALUES(8,23,'{"seq":23,"at":"2026-11-30T10:44:44.926072Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"executing","percent":50.0,"operation":{"name":"list","type":"t.list","state":"succeeded","attempt":2,"percent":100.0,"started_at":"2026-11-30T10:44:44.923873Z","ended_at":"2026-11-30T10:44:44.924073Z"}}');
INSERT INTO "events" VALUES(8,24,'{"seq":24,"at":"2026-11-30T10:44:44.926072Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"executing","percent":75.0,"operation":{"name":"say","type":"t.say","state":"succeeded","attempt":2,"percent":100.0,"started_at":"2026-11-30T10:44:44.925359Z","ended_at":"2026-11-30T10:44:44.925828Z"}}');
INSERT INTO "events" VALUES(8,25,'{"seq":25,"at":"2026-11-30T10:44:44.926985Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"executing","percent":66.66,"added":{"generator":"nth.each","operations":[{"name":"nth.0","type":"pop.transform"},{"name":"nth.1","type":"pop.transform"}]}}');
INSERT INTO "events" VALUES(8,26,'{"seq":26,"at":"2026-11-30T10:44:44.926985Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"executing","percent":66.66,"operation":{"name":"nth.each","type":"pop.fanOut","state":"succeeded","attempt":2,"percent":100.0,"started_at":"2026-11-30T10:44:44.926744Z","ended_at":"2026-11-30T10:44:44.926744Z"}}');
INSERT INTO "events" VALUES(8,27,'{"seq":27,"at":"2026-11-30T10:44:44.92774Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"executing","percent":83.33,"operation":{"name":"nth.0","type":"pop.transform","state":"succeeded","attempt":1,"percent":100.0,"started_at":"2026-11-30T10:44:44.927687Z","ended_at":"2026-11-30T10:44:44.927687Z"}}');
INSERT INTO "events" VALUES(8,28,'{"seq":28,"at":"2026-11-30T10:44:44.92774Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"executing","percent":100.0,"operation":{"name":"nth.1","type":"pop.transform","state":"succeeded","attempt":1,"percent":100.0,"started_at":"2026-11-30T10:44:44.927687Z","ended_at":"2026-11-30T10:44:44.927687Z"}}');
INSERT INTO "events" VALUES(8,29,'{"seq":29,"at":"2026-11-30T10:44:44.928301Z","agenda":"ag_01a22c0e98cc72eaaf1032e1449c98ed","state":"succeeded","percent":100.0}');
INSERT INTO "events" VALUES(9,1,'{"seq":1,"at":"2026-11-30T10:44:43.875313Z","agenda":"ag_01a22c0e98e2765eaebc161edd9a6a08","state":"ready","percent":0.0}');
INSERT INTO "events" VALUES(9,2,'{"seq":2,"at":"2026-11-30T10:44:43.875313Z","agenda":"ag_01a22c0e98e2765eaebc161edd9a6a08","state":"queued","percent":0.0}');
INSERT INTO "events" VALUES(9,3,'{"seq":3,"at":"2026-11-30T10:44:43.876353Z","agenda":"ag_01a22c0e98e2765eaebc161edd9a6a08","state":"leased","percent":0.0}');
INSERT INTO "events" VALUES(9,4,'{"seq":4,"at":"2026-11-30T10:44:43.87772Z","agenda":"ag_01a22c0e98e2765eaebc161edd9a6a08","state":"executing","percent":0.0}');
INSERT INTO "events" VALUES(9,5,'{"seq":5,"at":"2026-11-30T10:44:43.87772Z","agenda":"ag_01a22c0e98e2765eaebc161edd9a6a08","state":"executing","percent":0.0,"operation":{"name":"wait","type":"pop.sleep","state":"executing","attempt":1,"percent":0.0,"started_at":"2026-11-30T10:44:43.877649Z"}}');
CREATE TABLE keys (
    customer TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    no       INTEGER NOT NULL,
    PRIMARY KEY (customer, key)
) WITHOUT ROWID;
INSERT INTO "keys" VALUES('acme','65eb853d9e1a7b530080b7e0ce417ff2',1);
INSERT INTO "keys" VALUES('acme','295de7116bb2984f8a336895bc0cd2d1',2);
INSERT INTO "keys" VALUES('acme','2caef2c55ecda18bf8c57905e44f3423',3);
INSERT INTO "keys" VALUES('beta','6fb8b8aebc4a705301252838ace4830b',4);
INSERT INTO "keys" VALUES('beta','9cb2f094166cb859e8d1230bdd1c9d89',5);
INSERT INTO "keys" VALUES('beta','eb1ee2c01a072a579354e09c624720d4',6);
INSERT INTO "keys" VALUES('gamma','ec9907137d017c02c4c8a2d10cc1c786',7);
INSERT INTO "keys" VALUES('acme','aa0729f79e460b39265dac003bc60880',8);
INSERT INTO "keys" VALUES('acme','a646704048a67d4d0c5efc6d78b5386d',9);
CREATE TABLE logs (
    id        INTEGER PRIMARY KEY,
    no        INTEGER NOT NULL,
    operation TEXT    NOT NULL,
    attempt   INTEGER NOT NULL,
    stream    TEXT    NOT NULL,
    start     INTEGER NOT NULL,
    body      TEXT    NOT NULL,
    UNIQUE (no, operation, attempt, stream, start)
);
INSERT INTO "logs" VALUES(1,2,'no',1,'stderr',0,'why
');
INSERT INTO "logs" VALUES(2,2,'no',2,'stderr',0,'why
');
INSERT INTO "logs" VALUES(3,2,'no',3,'stderr',0,'why
');
INSERT INTO "logs" VALUES(4,2,'no',4,'stderr',0,'why
');
CREATE TABLE made (
    no       INTEGER NOT NULL,
    position INTEGER NOT NULL,
    name     TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    body     TEXT    NOT NULL,
    PRIMARY KEY (no, position)
) WITHOUT ROWID;
INSERT INTO "made" VALUES(1,4,'nth.0','pop.transform',X'42BBC4075725379856E6086737F8D08C120FF73B80A8792A2D5A91EF681E68A1930DE9FFE38C95621A7DCCCF2781A06500B66C6BAFD1F04B11A89B2272C46867BCA6E26E4C328D4B6B9116B768EA7D5E111EBF9D21DC842E114E8A263D873345B88E1305AFF86542E88CD33075564A2218E934F61F724AC092E80EA9CFAE0EC504E08B2C9BEF8460E51C49F06AD70B2C4B263DFB5A2A9FB3');
INSERT INTO "made" VALUES(1,5,'nth.1','pop.transform',X'42BBC407572537989CE215F1989305AE79A28D5579DEB74CEEFFE1519D7E9A6ADA743E5761A6ABA6D03646CF5A0C955D0CD9D335F9CC6935BC729F087957A248EB0CB61B156E2D82ADE41F5B42E19E8EC67A57D86EDCD717D8075D280F0E241893A8634AE45E4DE71012ED788C117A30DB9DB26ECC65D0DEA6EDE7FF7B9B6F608C6C78B8D2DA3FF1FCF06D54494465B6B30E73E1FF181C49');
INSERT INTO "made" VALUES(8,4,'nth.0','pop.transform',X'42BBC40757253798ADAC796E99EAD91A776C388393C52378F3BF4CBE37C023B092F7FC103DBAA4C0CCD4DE01B69FDED34FAE53A88DE001F3842368E2F6D76BAEAE84E7F88EC0F8B4097403BD4E011C8E21E66753FD50165B2C03555AD938323119DE5AD6B00CE9C9E01EF88571D305D16E79AD841C8D668482882EEC94301EC64842F1E33252254A5A8F17773F791B59042679B87B055D11');
INSERT INTO "made" VALUES(8,5,'nth.1','pop.transform',X'42BBC4075725379813B2F3FEE6958C89729F5461424C212413833D433D9640FF0E8E39DEDC25D5DF9BEA3B2DC6409C31D41C7186DB9AD9001D522E588B25CDDB7C8F01C41F7C177FEB205C6576DF1C44433A3A4B69B5B511212430EC9E90F6541B8D528F606D9BF6D7772DDDE256CD71A5C0A552344362A3D2B62704ECF9E031E90DBCF27F4B7721B937CCF55A84FF0A6D4AFC12F378BA09');
CREATE TABLE migrations (version INTEGER NOT NULL);
INSERT INTO "migrations" VALUES(1);
INSERT INTO "migrations" VALUES(2);
INSERT INTO "migrations" VALUES(3);
INSERT INTO "migrations" VALUES(4);
INSERT INTO "migrations" VALUES(5);
INSERT INTO "migrations" VALUES(6);
CREATE TABLE operations (
    no         INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    state      TEXT    NOT NULL,
    again      INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    failures   INTEGER NOT NULL,
    percent    INTEGER NOT NULL,
    message    TEXT,
    started_at INTEGER,
    ended_at   INTEGER,
    failure    TEXT,
    PRIMARY KEY (no, position)
) WITHOUT ROWID;
INSERT INTO "operations" VALUES(1,0,'succeeded',0,1,0,10000,NULL,1796035481634955,1796035481635911,NULL);
INSERT INTO "operations" VALUES(1,1,'skipped',0,0,0,0,'its condition was false',NULL,1796035481628775,NULL);
INSERT INTO "operations" VALUES(1,2,'succeeded',0,1,0,10000,NULL,1796035481644032,1796035481644032,NULL);
INSERT INTO "operations" VALUES(1,3,'succeeded',0,1,0,10000,NULL,1796035481635278,1796035481641662,NULL);
INSERT INTO "operations" VALUES(1,4,'succeeded',0,1,0,10000,NULL,1796035481648605,1796035481648605,NULL);
INSERT INTO "operations" VALUES(1,5,'succeeded',0,1,0,10000,NULL,1796035481648605,1796035481648605,NULL);
INSERT INTO "operations" VALUES(2,0,'failed',0,4,2,0,NULL,1796035485010550,1796035485011047,'{"class":"user","code":"ExitCode","message":"the program exited with code 1","exit_code":1,"log_tail":["why"]}');
INSERT INTO "operations" VALUES(2,1,'skipped',0,0,0,0,NULL,NULL,1796035485011805,'{"class":"user","code":"DependencyFailed","message":"`no`, which it needs, failed"}');
INSERT INTO "operations" VALUES(3,0,'cancelled',0,1,0,0,NULL,1796035481692780,1796035483809157,NULL);
INSERT INTO "operations" VALUES(8,0,'succeeded',0,2,0,10000,NULL,1796035484923873,1796035484924073,NULL);
INSERT INTO "operations" VALUES(8,1,'succeeded',0,2,0,10000,NULL,1796035484922944,1796035484922944,NULL);
INSERT INTO "operations" VALUES(8,2,'succeeded',0,2,0,10000,NULL,1796035484926744,1796035484926744,NULL);
INSERT INTO "operations" VALUES(8,3,'succeeded',0,2,0,10000,NULL,1796035484925359,1796035484925828,NULL);
INSERT INTO "operations" VALUES(8,4,'succeeded',0,1,0,10000,NULL,1796035484927687,1796035484927687,NULL);
INSERT INTO "operations" VALUES(8,5,'succeeded',0,1,0,10000,NULL,1796035484927687,1796035484927687,NULL);
INSERT INTO "operations" VALUES(9,0,'executing',0,1,0,0,NULL,1796035483877649,NULL,NULL);
CREATE TABLE outputs (
    no       INTEGER NOT NULL,
    position INTEGER NOT NULL,
    body     TEXT    NOT NULL,
    PRIMARY KEY (no, position)
);
INSERT INTO "outputs" VALUES(1,0,X'42BBC40757253798A9614EC7FE5C1852867D7E226EAC7247F6DC1053D8F4B5157FB8CF6733172A80096125A2F388A6375AB3');
INSERT INTO "outputs" VALUES(1,3,X'42BBC40757253798AF896DD708533E89DAFF9ADA0B388D902E2E0E42FC8616403B5B624D6BDDB397E2878BBEC826D3518CA05B9F');
INSERT INTO "outputs" VALUES(1,2,X'42BBC4075725379864F8B4973240DA689AF028F5EC6D74CB5FF24669B584D540DAF3A00D052F4F5213E3C5F28C528A');
INSERT INTO "outputs" VALUES(1,4,X'42BBC40757253798A8A4C68232E70C6155B7973BB96F14FA84B43C9F2091619E4809508D034F643044CBA4');
INSERT INTO "outputs" VALUES(1,5,X'42BBC407572537988CCBC0067E7EC983A3C694C3DE0545A54F640ADF9E4654F29F7B0D18BB7BF5DB829558');
INSERT INTO "outputs" VALUES(8,1,X'42BBC4075725379879F79EC883B5D0982DEF7D5798BB0803DBF8323128AEB690327339D386971A708BBEBB07D81D519D96A22C');
INSERT INTO "outputs" VALUES(8,0,X'42BBC40757253798B818322D3E304DD711AD80D5F42CDAB366BEF39BBED3508D99A4C17610DE72C9EDFDD1AAE5C3919CB3F6');
INSERT INTO "outputs" VALUES(8,3,X'42BBC4075725379841A41EE9947A28DFB544C5E3E40F3A5BFD099266866ED546E1AB43F7BFBA60993C7B9F25AE19B562B56C6038');
INSERT INTO "outputs" VALUES(8,2,X'42BBC40757253798F5EF9EDC3B1B8950979D7341652B61778B07110523CF8454DC6D57A3FEC684AD212894D48D5117');
INSERT INTO "outputs" VALUES(8,4,X'42BBC40757253798465A2D5423982DA339A5349EA4D465AEF3F85FD908B8601D1AADB513536D79292A1B63');
INSERT INTO "outputs" VALUES(8,5,X'42BBC40757253798120D96CD001E61D318EA7F597BDFD90AC4DFAF3CCD9CABB5D4FD330FA4C8B2D4930C85');
CREATE TABLE policy_rows (
    insight TEXT NOT NULL,
    key     TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (insight, key)
) WITHOUT ROWID;
INSERT INTO "policy_rows" VALUES('idle','beta','');
CREATE TABLE seal (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    key BLOB NOT NULL
);
INSERT INTO "seal" VALUES(1,X'42BBC40757253798');
CREATE TABLE settings (
    kind TEXT NOT NULL,
    id   TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
INSERT INTO "settings" VALUES('customer','acme','{"id":"acme","title":"Acme","pool":"default"}');
INSERT INTO "settings" VALUES('customer','beta','{"id":"beta","pool":"idle"}');
INSERT INTO "settings" VALUES('customer','default','{"id":"default","pool":"default"}');
INSERT INTO "settings" VALUES('customer','gamma','{"id":"gamma","pool":"idle"}');
INSERT INTO "settings" VALUES('insight','default','{"id":"default","pool":"default","mappers":{"any":[]},"priority":0,"queue_size":4,"algorithm":"roundRobin","allowed_customers":[]}');
INSERT INTO "settings" VALUES('insight','fifo','{"id":"fifo","pool":"default","mappers":{"operationType":["t.say"]},"priority":5,"queue_size":7,"algorithm":"fifo","allowed_customers":["acme"]}');
INSERT INTO "settings" VALUES('insight','idle','{"id":"idle","title":"waits","pool":"idle","mappers":{"any":[]},"priority":0,"queue_size":2,"algorithm":"roundRobin","allowed_customers":[]}');
INSERT INTO "settings" VALUES('pool','default','{"id":"default"}');
INSERT INTO "settings" VALUES('pool','idle','{"id":"idle","title":"Nobody works for it"}');
CREATE TABLE "templates" (
    customer TEXT NOT NULL,
    name     TEXT NOT NULL,
    view     TEXT NOT NULL,
    body     TEXT NOT NULL,
    PRIMARY KEY (customer, name)
);
INSERT INTO "templates" VALUES('','ok','{"name":"ok","version":"1.0.0","digest":"561da4eede4bf9d67e1feff1c5c191d8368b22bf15735baf41d76c41d9c191b2"}','{"title":"ok 1.0.0","params":{"pop.inputs":{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"go":{"type":"boolean"},"items":{"type":"array","items":{"type":"integer"},"default":[1,2]},"token":{"type":"string","x-pop-secret":true}},"required":["go","token"],"additionalProperties":false},"pop.outputs":{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"items":{"anyOf":[{"type":"array","items":{"type":"integer"}},{"type":"null"}]},"ns":{"type":"array","items":{"type":"integer"}},"said":{"type":"string"}},"required":["ns","said"],"additionalProperties":false}},"agenda":{"title":"ok 1.0.0","params":{"pop.result":{"items":"@<maybe.out::/items>","ns":"@<nth.*.out::/n>","said":"@<say.out::/text>"},"pop.types":{"t.list":{"command":["echo","{\"list\": [4, 5]}"],"stdout":"json","output":{"type":"object","properties":{"list":{"type":"array","items":{"type":"integer"}}},"required":["list"],"additionalProperties":false}},"t.say":{"command":["echo","${with.text}"],"stdout":"text","secrets":["/token"],"output":{"type":"object","properties":{"text":{"type":"string"}},"required":["text"],"additionalProperties":false}}},"pop.workflow":{"name":"ok","version":"1.0.0","digest":"561da4eede4bf9d67e1feff1c5c191d8368b22bf15735baf41d76c41d9c191b2"}},"operations":[{"name":"list","type":"t.list"},{"name":"maybe","type":"pop.transform","payload":{"value":{"items":"@<pop.payload::/items>"}},"params":{"pop.when":"@<pop.payload::/go>"}},{"name":"nth","type":"pop.transform","payload":{"value":{"n":"@<pop.each>"}},"params":{"pop.each":"@<list.out::/list>"}},{"name":"say","type":"t.say","payload":{"text":"hello","token":"@<pop.payload::/token>"}}]}}');
CREATE TABLE writer (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    claim INTEGER NOT NULL
);
INSERT INTO "writer" VALUES(1,1);
CREATE INDEX agendas_live     ON agendas (no) WHERE ended_at IS NULL;
CREATE INDEX agendas_customer ON agendas (customer, no);
CREATE INDEX agendas_state    ON agendas (state, no);
CREATE INDEX agendas_link     ON agendas (link, no) WHERE link IS NOT NULL;
CREATE INDEX keys_no ON keys (no);
CREATE INDEX logs_agenda ON logs (no, id);
COMMIT;
